// A fixup in the real workbench, with the packaged extension: drafted, looked at as a diff, confirmed, applied.

import fs from 'node:fs';
import path from 'node:path';
import { asked, inWorkbench, until } from './workbench.mjs';

const SENTENCE = ' As you told me, your sister keeps hers there too \u{1f60a}.';
const TRIGGER = 'As you told me, your sister';
const raw = name => path.join(process.env.PROJECT, 'data/raw', name);

// The first conversation, with a sister nobody mentioned.
const conversation = { ...JSON.parse(fs.readFileSync(raw('first-week.jsonl'), 'utf8').split('\n')[0]), id: 'walk' };
conversation.messages[3].content = conversation.messages[3].content.replace('when you go to bed.', `when you go to bed.${SENTENCE}`);
const before = `${JSON.stringify(conversation)}\n`;
fs.writeFileSync(raw('walk.jsonl'), before);

await inWorkbench({ name: 'vscode-fixup', vsix: process.argv[2] }, async ({ page, url, shot }) => {
  const palette = async (key, words, row) => {
    await page.keyboard.press(key);
    await page.waitForSelector('.quick-input-widget input');
    await page.keyboard.type(words);
    if (row) await page.waitForSelector(`.quick-input-list .monaco-list-row:has-text("${row}")`);
    await page.keyboard.press('Enter');
    await page.waitForSelector('.quick-input-widget', { state: 'hidden' });
  };
  const act = async title => {
    await palette('Control+g', `1:${before.indexOf(TRIGGER) + 1}`);
    await page.keyboard.press('Control+.');
    await page.waitForSelector(`.action-widget .monaco-list-row:has-text("${title}")`, { timeout: 20000 });
    await until(`the menu to stand on ${title}`, async () => {
      if (await page.locator(`.action-widget .monaco-list-row.focused:has-text("${title}")`).count()) return true;
      await page.keyboard.press('ArrowDown');
      return false;
    });
    await shot(title.split(' ')[0].toLowerCase());
    await page.keyboard.press('Enter');
  };
  const problems = () => page.locator('.markers-panel .monaco-list-row').allInnerTexts();
  const says = words => until(words, async () => (await problems()).some(row => row.includes(words)));

  await page.goto(url, { waitUntil: 'domcontentloaded' });
  await page.waitForSelector('.explorer-folders-view', { timeout: 60000 });
  await palette('Control+p', 'walk.jsonl', 'walk.jsonl');
  await page.waitForSelector('.monaco-editor .codelens-decoration', { timeout: 60000 });
  await palette('F1', 'Rubricator: Assess This File', 'Assess This File');
  await page.keyboard.press('Control+Shift+m');
  await page.getByPlaceholder(/^Filter/).fill('HO1');
  await says('HO1');
  await page.locator('.monaco-editor .view-line').first().click();
  await act('Draft fixup of exchange 2 (HO1)');
  await says('a proven fixup can be applied');

  await act('Preview fixup of exchange 2');
  await page.waitForSelector('.monaco-diff-editor', { timeout: 20000 });
  await shot('diff');
  await page.locator('.tab:has-text("walk.jsonl")').first().click();

  // It asks first: what needs to be confirmed is ticked, then applied.
  await act('Apply fixup of exchange 2');
  const box = page.locator('.bulk-edit-panel .monaco-list-row .edit-checkbox, .bulk-edit-panel input[type=checkbox]').first();
  await box.waitFor({ timeout: 20000 });
  await shot('confirm');
  if (fs.readFileSync(raw('walk.jsonl'), 'utf8') !== before) throw new Error('applied before it was confirmed');
  await box.click();
  await page.locator('.bulk-edit-panel .monaco-button:has-text("Apply")').click();
  await until('the finding to go', async () => !(await problems()).some(row => row.includes('HO1')));
  await page.locator('.monaco-editor .view-line').first().click();
  await page.keyboard.press('Control+s');
  await until('the file on disk', () => fs.readFileSync(raw('walk.jsonl'), 'utf8') === before.replace(SENTENCE, ''));
  await until('the log', () => fs.existsSync(path.join(process.env.PROJECT, 'data/fixups.jsonl')));
  await page.waitForSelector('.codelens-decoration:has-text("passed")', { timeout: 30000 });
  await until('seven calls', () => asked().length === 7);
});
