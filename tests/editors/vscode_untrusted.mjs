// A folder nobody has trusted, in the real workbench: findings that need no judge are there, and a save
// sends nothing: not one connection reaches the judges.

import fs from 'node:fs';
import path from 'node:path';
import { asked, connections, inWorkbench, until } from './workbench.mjs';

const file = path.join(process.env.PROJECT, 'data/raw/first-week.jsonl');

await inWorkbench({ name: 'untrusted', vsix: process.argv[2], trusted: false }, async ({ page, url, shot }) => {
  await page.goto(url, { waitUntil: 'domcontentloaded' });
  await page.waitForSelector('.explorer-folders-view', { timeout: 60000 });
  await page.waitForSelector('.statusbar-item:has-text("Restricted Mode")', { timeout: 60000 });
  await page.keyboard.press('Control+p');
  await page.waitForSelector('.quick-input-widget input');
  await page.keyboard.type('first-week.jsonl');
  await page.waitForSelector('.quick-input-list .monaco-list-row:has-text("first-week.jsonl")');
  await page.keyboard.press('Enter');
  await page.waitForSelector('.monaco-editor .squiggly-warning', { timeout: 60000 });
  await shot('1-open');
  await page.locator('.monaco-editor .view-line').first().click();
  await page.keyboard.press('Control+Home');
  await page.keyboard.type(' ');
  await page.keyboard.press('Control+s');
  await until('the file on disk', () => fs.readFileSync(file, 'utf8').startsWith(' '));
  await page.waitForSelector('.notification-list-item:has-text("not trusted")', { timeout: 40000 });
  await shot('2-refused');
  if (asked().length || connections()) throw new Error(`${connections()} connections, asked ${asked().length} times`);
});
