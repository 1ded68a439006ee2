// Runs the extension's own tests (`exthost/`) inside a real extension host, with the server from the PATH.

import path from 'node:path';
import { inWorkbench, quiet } from './workbench.mjs';

const here = import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname);
const extension = path.join(process.env.ROOT, 'editors/vscode');
const query = remote =>
  '&payload=' + encodeURIComponent(JSON.stringify([
    ['extensionDevelopmentPath', remote(extension)],
    ['extensionTestsPath', remote(path.join(here, 'exthost/index.cjs'))],
    ['skipWelcome', 'true'],
  ]));

await inWorkbench({ name: 'vscode-host', flags: ['--enable-smoke-test-driver'], query }, async ({ page, url }) => {
  const code = new Promise((resolve, reject) => {
    page.exposeFunction('codeAutomationExit', resolve);
    setTimeout(() => reject(new Error('the tests did not end')), 120_000).unref();
  });
  await page.exposeFunction('codeAutomationLog', (_, values) => {
    const text = quiet(values.join(' '));
    if (text) console.log(text);
  });
  await page.goto(url);
  if ((await code) !== 0) throw new Error('the extension host reported failures');
});
