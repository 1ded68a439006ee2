// The picture of VS Code in the README: the example project, assessed with its recorded judges.

import fs from 'node:fs';
import path from 'node:path';
import { inWorkbench, until } from './workbench.mjs';

const FILE = path.join(process.env.PROJECT, 'data/raw/first-week.jsonl');
const lines = fs.readFileSync(FILE, 'utf8').split('\n');
const line = lines.findIndex(text => text.includes('You can simply stop'));
const column = lines[line].indexOf('You can simply stop') + 1;

const extraSettings = { 'editor.fontSize': 13, 'workbench.activityBar.location': 'hidden', 'window.commandCenter': false, 'editor.hover.above': false };
await inWorkbench({ name: 'readme', vsix: process.argv[2], viewport: { width: 1200, height: 760 }, extraSettings }, async ({ page, url, shot }) => {
  await page.goto(url, { waitUntil: 'domcontentloaded' });
  await page.waitForSelector('.explorer-folders-view', { timeout: 60000 });
  await page.keyboard.press('Control+p');
  await page.waitForSelector('.quick-input-widget input');
  await page.keyboard.type('first-week.jsonl');
  await page.waitForSelector('.quick-input-list .monaco-list-row:has-text("first-week.jsonl")');
  await page.keyboard.press('Enter');
  await page.waitForSelector('.codelens-decoration', { timeout: 60000 });
  await page.keyboard.press('Control+b');
  await page.keyboard.press('Control+s');
  await page.waitForSelector('.codelens-decoration:has-text("gated")', { timeout: 30000 });
  await page.keyboard.press('Control+Shift+m');
  await until('the problem', async () =>
    (await page.locator('.markers-panel .monaco-list-row').allInnerTexts()).some(row => row.includes('SA1')));
  await page.locator('.monaco-editor .view-line').first().click();
  await page.keyboard.press('Control+g');
  await page.waitForSelector('.quick-input-widget input');
  await page.keyboard.type(`${line + 1}:${column + 4}`);
  await page.keyboard.press('Enter');
  await page.waitForSelector('.quick-input-widget', { state: 'hidden' });
  await page.keyboard.press('Control+k');
  await page.keyboard.press('Control+i');
  await page.waitForSelector('.monaco-hover:has-text("No unsafe advice")', { timeout: 20000 });
  await shot('vscode');
});
