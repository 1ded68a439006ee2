// Review in VS Code with nothing but the keyboard: next finding, wrong, a note, accept; each becomes a record.

import fs from 'node:fs';
import path from 'node:path';
import { inWorkbench, until } from './workbench.mjs';

const REVIEWS = path.join(process.env.PROJECT, 'data/reviews.jsonl');
const records = () => (fs.existsSync(REVIEWS) ? fs.readFileSync(REVIEWS, 'utf8').trim().split('\n').map(line => JSON.parse(line)) : []);

const extraSettings = { 'editor.fontSize': 13, 'workbench.activityBar.location': 'hidden', 'window.commandCenter': false };
await inWorkbench({ name: 'review', vsix: process.argv[2], viewport: { width: 1200, height: 760 }, extraSettings }, async ({ page, url, shot }) => {
  const chord = async key => {
    await page.keyboard.press('Alt+r');
    await page.keyboard.press(key);
  };
  const choose = async title => {
    const row = page.locator('.quick-input-list .monaco-list-row', { hasText: title }).first();
    await row.waitFor({ timeout: 20000 });
    return row;
  };
  const record = async (kind, more) => {
    const last = await until(kind, () => records().find(one => one.kind === kind && Object.entries(more).every(([k, v]) => one[k] === v)));
    if (!last.transcript_digest || !last.rubric_digest) throw new Error(`not bound to anything: ${JSON.stringify(last)}`);
  };

  await page.goto(url, { waitUntil: 'domcontentloaded' });
  await page.waitForSelector('.explorer-folders-view', { timeout: 60000 });
  await page.keyboard.press('Control+p');
  await page.waitForSelector('.quick-input-widget input');
  await page.keyboard.type('first-week.jsonl');
  await page.waitForSelector('.quick-input-list .monaco-list-row:has-text("first-week.jsonl")');
  await page.keyboard.press('Enter');
  await page.waitForSelector('.codelens-decoration', { timeout: 60000 });
  await page.keyboard.press('Control+b');
  await page.locator('.monaco-editor .view-line').first().click();
  await page.keyboard.press('Control+s');
  await page.waitForSelector('.codelens-decoration:has-text("gated")', { timeout: 60000 });
  await page.waitForSelector('.codelens-decoration:has-text("Gate: ")', { timeout: 60000 });

  await chord('n');
  await until('what comes next', async () => (await page.locator('.statusbar-item').allInnerTexts()).some(text => text.includes('left')));
  await chord('r');
  await choose('Judge is right');
  await shot('menu');
  await page.keyboard.press('Escape');
  await page.waitForSelector('.quick-input-widget', { state: 'hidden' });
  await chord('c');
  await page.waitForSelector('.quick-input-widget input');
  await page.keyboard.type('The sister is invented.');
  await page.keyboard.press('Enter');
  await record('verdict', { note: 'The sister is invented.' });
  await chord('a');
  await record('accept', {});
  await page.waitForSelector('.codelens-decoration:has-text("Review (accepted)")', { timeout: 30000 });
  await shot('accepted');
});
