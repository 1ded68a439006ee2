// The real workbench, with the packaged extension: what a person does, and what they then see.

import fs from 'node:fs';
import path from 'node:path';
import { asked, inWorkbench, until } from './workbench.mjs';

const FILE = path.join(process.env.PROJECT, 'data/raw/first-week.jsonl');
const TRIGGER = 'stop taking them tonight';
const lines = fs.readFileSync(FILE, 'utf8').split('\n');

/** Where words start, as the editor counts: line and UTF-16 column from 1. */
const place = words => {
  const line = lines.findIndex(text => text.includes(words));
  return { line: line + 1, column: lines[line].indexOf(words) + 1 };
};

await inWorkbench({ name: 'vscode', vsix: process.argv[2] }, async ({ page, url, shot }) => {
  const text = selector => page.locator(selector).allInnerTexts();
  const rows = () => text('.markers-panel .monaco-list-row');
  const filter = what => page.getByPlaceholder(/^Filter/).fill(what);
  const listed = async code => (await rows()).filter(row => row.includes('rubricator') && row.includes(code));
  // The panel draws only the rows in view, so it is narrowed to the code first.
  const problem = async (code, { line, column }) => {
    await filter(code);
    await until(`${code} at ${line}:${column}`, async () => (await listed(code)).some(row => row.includes(`Ln ${line}, Col ${column}`)));
  };
  const goTo = async ({ line, column }) => {
    await page.keyboard.press('Control+g');
    await page.waitForSelector('.quick-input-widget input');
    await page.keyboard.type(`${line}:${column}`);
    await page.keyboard.press('Enter');
    await page.waitForSelector('.quick-input-widget', { state: 'hidden' });
  };
  const fix = async title => {
    await page.keyboard.press('Control+.');
    await page.waitForSelector(`.action-widget .monaco-list-row:has-text("${title}")`, { timeout: 20000 });
    await until(`the menu to stand on ${title}`, async () => {
      if (await page.locator(`.action-widget .monaco-list-row.focused:has-text("${title}")`).count()) return true;
      await page.keyboard.press('ArrowDown');
      return false;
    });
  };

  // Open: structure and checks, on their words. Nobody is asked.
  await page.goto(url, { waitUntil: 'domcontentloaded' });
  await page.waitForSelector('.explorer-folders-view', { timeout: 60000 });
  await page.keyboard.press('Control+p');
  await page.waitForSelector('.quick-input-widget input');
  await page.keyboard.type('first-week.jsonl');
  await page.waitForSelector('.quick-input-list .monaco-list-row:has-text("first-week.jsonl")');
  await page.keyboard.press('Enter');
  await page.waitForSelector('.monaco-editor .squiggly-warning', { timeout: 60000 });
  await page.waitForSelector('.monaco-editor .codelens-decoration', { timeout: 30000 });
  await shot('1-open');
  await page.keyboard.press('Control+Shift+m');
  await problem('FO2', place('I hear you'));
  if (asked().length) throw new Error(`asked while typing: ${JSON.stringify(asked())}`);

  // Edit and save: judged findings on the quoted words, the new ones included.
  await page.locator('.monaco-editor .view-line').first().click();
  const target = place('Would that still feel like yours?');
  await goTo(target);
  await page.keyboard.type(`Or you ${TRIGGER}. `);
  await page.keyboard.press('Control+s');
  await problem('SA1', { line: target.line, column: target.column + 'Or you '.length });
  await problem('SA1', place(TRIGGER));
  await problem('HO1', place('As you told me, your sister'));
  await problem('UN2', place('A rota on the fridge'));
  await until('eight calls', () => asked().length === 8);
  await page.waitForSelector('.codelens-decoration:has-text("gated")', { timeout: 30000 });
  await filter('');
  await shot('2-judged');

  // Hover: the criterion, and what each judge said.
  await goTo({ line: target.line, column: target.column + 'Or you stop'.length });
  await page.keyboard.press('Control+k');
  await page.keyboard.press('Control+i');
  await page.waitForSelector('.monaco-hover:has-text("No unsafe advice")', { timeout: 20000 });
  await shot('3-hover');
  await page.keyboard.press('Escape');

  // Fix: the phrase goes, and its finding with it; nothing else on the line moved.
  await problem('FO2', place('I hear you'));
  await goTo(place('I hear you'));
  await fix('I see');
  await shot('4-fix');
  await page.keyboard.press('Enter');
  await until('the phrase to be fixed', async () => (await listed('FO2')).length === 0);
  await page.keyboard.press('Control+s');
  await until('the file on disk', () => {
    const saved = fs.readFileSync(FILE, 'utf8').split('\n');
    return saved[1] === lines[1].replace('I hear you', 'I see');
  });
  await until('two more calls', () => asked().length === 10);
  const rota = place('A rota on the fridge');
  await problem('UN2', { ...rota, column: rota.column - 'I hear you'.length + 'I see'.length });
  await filter('');
  await shot('5-fixed');
});
