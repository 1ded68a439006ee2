// Runs the extension's own tests (`exthost/`) inside a real extension host, with the server by its setting:
// VS Code takes the PATH from a login shell, so what a test puts there does not arrive.

import fs from 'node:fs';
import path from 'node:path';
import { format } from 'node:util';
import { inWorkbench, quiet } from './workbench.mjs';

const here = import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname);
const extension = path.join(process.env.ROOT, 'editors/vscode');
const query = remote =>
  '&payload=' + encodeURIComponent(JSON.stringify([
    ['extensionDevelopmentPath', remote(extension)],
    ['extensionTestsPath', remote(path.join(here, 'exthost/index.cjs'))],
    ['skipWelcome', 'true'],
  ]));

// In the workspace, as a window for tests does not read the user's settings.
fs.mkdirSync(path.join(process.env.PROJECT, '.vscode'));
fs.writeFileSync(
  path.join(process.env.PROJECT, '.vscode/settings.json'),
  JSON.stringify({ 'rubricator.server.path': path.join(process.env.SCENE, 'bin/rubricator') }),
);

await inWorkbench({ name: 'vscode-host', flags: ['--enable-smoke-test-driver'], query }, async ({ page, url }) => {
  const code = new Promise((resolve, reject) => {
    page.exposeFunction('codeAutomationExit', resolve);
    setTimeout(() => reject(new Error('the tests did not end')), 120_000).unref();
  });
  await page.exposeFunction('codeAutomationLog', (_, values) => {
    const text = quiet(format(...values));
    if (text) console.log(text);
  });
  await page.goto(url);
  if ((await code) !== 0) throw new Error('the extension host reported failures');
});
