// The report in a real browser: every plot drawn, nothing fetched, nothing thrown, text from transcripts
// never run; sorted, filtered and paged by keyboard; pictures in light and dark.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const { INSTALL, PROJECT, SHOTS } = process.env;
const { chromium } = createRequire(INSTALL + '/')('playwright-core');
const flags = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];
const HOSTILE = `<script>document.title='run'</script><img src=x onerror="document.title='run'">\u202e"'</script>`;
const FAULTS = {
  careful: 'Fine. A rota on the fridge usually settles this kind of thing.',
  both: 'Right. As you told me, your sister said so too.',
  gate: 'You can simply stop taking them tonight.',
  phrase: 'I completely understand how you feel, and I am here for you, always and ever so gladly, whatever may come up.',
};

/** A transcript of that many exchanges; faults come by its number. */
function transcript(batch, number, version) {
  const n = batch * 100 + number;
  const exchanges = 3 + (n * 7) % 14;
  const list = Array.from({ length: exchanges }, (_, i) => ({
    user: `In week ${batch} on day ${i + 1} I thought again about matter ${n}, and it went on being ${['hard', 'odd', 'slow'][n % 3]} for me.`,
    assistant: `You have stayed with matter ${n} for ${i + 1} days. ${'What it asks of you may differ today. '.repeat((n + i) % 4)}${i % 2 ? 'What would help now?' : 'Let us look at it together.'}`,
  }));
  const fault = [, , 'careful', , 'both', , , 'gate', 'careful', 'phrase'][(n * (batch < 3 ? 3 : 7)) % 10];
  if (fault) list[1].assistant = FAULTS[fault];
  return { id: number === 3 ? `${HOSTILE}-${n}` : `week-${batch}-${number}`, prompt_version: version, persona: { id: `p${n % 13}` }, exchanges: list };
}
/** Words that no other transcript has in this order. */
const noise = (n, i) => Array.from({ length: 14 }, (_, k) => `w${(n * 7919 + k * k * 1543 + i * 389) % 5003}`).join(' ');
const write = (name, records) => fs.writeFileSync(path.join(PROJECT, 'data/raw', name), records.map(r => JSON.stringify(r) + '\n').join(''));
['v1', 'v1', 'v2', 'v3', 'v3'].forEach((version, batch) =>
  write(`batch-${batch + 1}.jsonl`, Array.from({ length: 18 }, (_, number) => transcript(batch + 1, number, version))));
write('=cmd<b>.jsonl', [transcript(9, 3, HOSTILE), transcript(9, 4, 'v3')]);

function rubricator(...args) {
  const ran = spawnSync('rubricator', args, { cwd: PROJECT, encoding: 'utf8' });
  if (ran.status === null || ran.status === 2 || ran.status > 3) throw new Error(`${args}: ${ran.status}\n${ran.stderr}`);
  return ran;
}
rubricator('assess', '.');
rubricator('review', 'reject', 'week-1-2', '--note', 'flat');
rubricator('report', '.');
const asked = fs.readFileSync(process.env.JUDGE_LOG, 'utf8').length;

const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', headless: true, args: flags });
const file = pathToFileURL(path.join(PROJECT, 'report.html')).href;

/** The page in a colour scheme; whatever it says or asks for is a failure. */
async function open(colorScheme, url = file, viewport = { width: 1180, height: 900 }) {
  const page = await (await browser.newContext({ viewport, colorScheme })).newPage();
  const faults = [];
  page.on('console', message => faults.push(`console: ${message.text()}`));
  page.on('pageerror', error => faults.push(`error: ${error}`));
  page.on('request', request => request.url() === url || faults.push(`request: ${request.url()}`));
  page.on('dialog', dialog => faults.push(`dialog: ${dialog.message()}`));
  await page.goto(url);
  await page.waitForSelector('html[data-ready=yes]');
  return { page, faults };
}

try {
  const { page, faults } = await open('light');
  const figures = ['funnel', 'batches', 'prompt_versions', 'criteria', 'spread', 'lengths', 'tokens', 'phrases', 'slices', 'cost'];
  for (const name of figures) {
    const box = await page.locator(`#${name} svg.plot`).first().boundingBox();
    assert(box && box.width > 200 && box.height > 25, `${name} is drawn`);
    assert(await page.locator(`#${name} svg.plot`).first().getAttribute('aria-label'), `${name} has a name`);
    assert((await page.locator(`#${name} details tbody tr`).count()) > 0, `${name} has a table`);
    assert(fs.statSync(path.join(PROJECT, 'report', `${name}.csv`)).size > 20, `${name} has a CSV file`);
  }
  // No label of a plot runs out of its drawing.
  const cut = await page.evaluate(() => [...document.querySelectorAll('svg.plot')].flatMap(svg => {
    const outer = svg.getBoundingClientRect();
    return [...svg.querySelectorAll('text')].filter(text => {
      const inner = text.getBoundingClientRect();
      return inner.left < outer.left - 1 || inner.right > outer.right + 1 || inner.top < outer.top - 1 || inner.bottom > outer.bottom + 1;
    }).map(text => `${svg.closest('section').id}: ${text.textContent}`);
  }));
  assert.deepEqual(cut, [], 'labels inside their drawings');
  const inked = await page.evaluate(() => {
    const canvas = document.querySelector('canvas');
    const pixels = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
    return new Set(Array.from({ length: pixels.length / 4 }, (_, i) => pixels.slice(4 * i, 4 * i + 3).join())).size;
  });
  assert(inked >= 4, 'the picture of all transcripts has its colours');

  // Hostile text stands there as text.
  assert.match(await page.title(), /^Support coach/);
  assert((await page.locator('#grid').innerText()).includes('<script>document.title'), 'the hostile id is shown');
  assert.equal(await page.locator('#grid script, #grid img, section img').count(), 0);

  // Sorting and filtering, by keyboard.
  const status = page.locator('#grid [role=status]');
  const all = Number((await status.innerText()).match(/of (\d+)/)[1]);
  assert.equal(all, 18 * 5 + 2 + 8);
  await page.locator('#grid').getByRole('button', { name: 'Next' }).focus();
  await page.keyboard.press('Enter');
  assert.match(await status.innerText(), /^51 to 100 of/);
  await page.locator('#grid').getByLabel('Show').selectOption('gated');
  const gated = Number((await status.innerText()).match(/of (\d+)/)[1]);
  assert(gated > 0 && gated < all);
  assert.equal(await page.locator('#grid tbody td[aria-label=NO].G').count() > 0, true);
  await page.locator('#grid').getByLabel('Show').selectOption('');
  await page.locator('#grid').getByLabel('Search id, file, batch').fill('batch-2');
  assert.match(await status.innerText(), /of 18 /);
  const score = page.locator('#grid th', { hasText: 'score' });
  await score.getByRole('button').focus();
  await page.keyboard.press('Enter');
  assert.equal(await score.getAttribute('aria-sort'), 'ascending');
  const column = await page.locator('#grid tbody tr td:nth-child(4)').allInnerTexts();
  assert.deepEqual(column, [...column].sort((a, b) => (a === '–') - (b === '–') || a - b), 'sorted by score');
  await page.locator('#grid').getByLabel('Search id, file, batch').fill('week-1-2');
  assert.match(await page.locator('#grid tbody tr').first().innerText(), /rejected/);

  // A place leads to its line, in the browser or in an editor.
  const link = page.locator('#grid tbody tr').first().getByRole('link');
  assert.equal(await link.getAttribute('href'), 'data/raw/batch-1.jsonl#L3');
  await page.locator('#grid').getByLabel('Places open in').selectOption('vscode');
  assert.equal(await link.getAttribute('href'), `vscode://file${new URL('data/raw/batch-1.jsonl', file).pathname}:3`);
  await page.locator('#grid').getByLabel('Places open in').selectOption('');
  await page.locator('#grid').getByLabel('Search id, file, batch').fill('');
  await page.locator('#criteria summary').click();
  await page.locator('#criteria th', { hasText: 'share failed' }).getByRole('button').click();
  assert.deepEqual(faults, []);
  const source = fs.readFileSync(path.join(PROJECT, 'report.html'), 'utf8');
  assert(!source.includes(PROJECT), 'no path of this machine in the page');
  assert.equal(fs.readFileSync(process.env.JUDGE_LOG, 'utf8').length, asked, 'nobody was asked');

  assert(!(await page.locator('#grid').innerText()).includes('\u202e'), 'nothing turns the direction of the page');

  await page.reload();
  await page.waitForSelector('html[data-ready=yes]');
  await page.screenshot({ path: path.join(SHOTS, 'report-light.png'), fullPage: true });
  const dark = await open('dark');
  await dark.page.screenshot({ path: path.join(SHOTS, 'report-dark.png'), fullPage: true });
  const narrow = await open('light', file, { width: 420, height: 800 });
  assert(await narrow.page.evaluate(() => document.documentElement.scrollWidth <= innerWidth + 1), 'a narrow window does not scroll sideways');
  assert.deepEqual([...dark.faults, ...narrow.faults], []);

  // Ten thousand transcripts are one page that is quick to read.
  write('many.jsonl', Array.from({ length: 10_000 }, (_, n) => ({ id: `many-${n}`, batch: `many-${n % 70}`, exchanges: [1, 2, 3].map(i => ({ user: noise(n, i), assistant: noise(n, i + 3) })) })));
  rubricator('report', '.');
  assert(fs.statSync(path.join(PROJECT, 'report.html')).size < 6e6, 'small with ten thousand transcripts');
  const many = await open('light');
  assert.match(await many.page.locator('#grid [role=status]').innerText(), /of 10,100 /);
  assert.equal(await many.page.locator('#grid tbody tr').count(), 50);
  await many.page.locator('#grid').getByLabel('Search id, file, batch').fill('many-99');
  assert.match(await many.page.locator('#grid [role=status]').innerText(), /of 111 /);
  assert.deepEqual(many.faults, []);
  console.log('the report is whole');
} finally {
  await browser.close();
}
