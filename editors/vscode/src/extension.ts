// The extension: starts the server, shows its state, and gives its commands names in the palette.
// What the server finds, and how it is shown, is the server's business.

import * as vscode from 'vscode';
import { LanguageClient } from 'vscode-languageclient/node';
import { registerCommands } from './commands';
import { registerPreviews } from './fixup';
import { createClient } from './server';
import { StatusBar } from './status';

let running: LanguageClient | undefined;

export async function activate(context: vscode.ExtensionContext): Promise<void> {
  const log = vscode.window.createOutputChannel('Rubricator', { log: true });
  const status = new StatusBar();
  context.subscriptions.push(log, status);

  // One start or stop at a time: a setting changed while the server starts must not leave two.
  let turn: Promise<void> = Promise.resolve();
  const restart = () => (turn = turn.then(() => start(context, log, status)));

  registerPreviews(context);
  registerCommands(context, { client: () => running, restart, log });
  context.subscriptions.push(
    vscode.workspace.onDidGrantWorkspaceTrust(restart),
    vscode.workspace.onDidChangeConfiguration(event => {
      if (event.affectsConfiguration('rubricator.server')) void restart();
      if (event.affectsConfiguration('rubricator.statusBar')) status.render();
    }),
  );
  await restart();
}

export async function deactivate(): Promise<void> {
  await stop();
}

async function start(context: vscode.ExtensionContext, log: vscode.LogOutputChannel, status: StatusBar): Promise<void> {
  await stop();
  status.starting();
  const client = createClient(context, log);
  client.onNotification('rubricator/status', value => status.update(value));
  try {
    await client.start();
  } catch (error) {
    status.failed(String(error));
    await offerHelp(error, log);
    return;
  }
  running = client;
  status.ready();
  await vscode.commands.executeCommand('setContext', 'rubricator.running', true);
}

async function stop(): Promise<void> {
  const client = running;
  running = undefined;
  await vscode.commands.executeCommand('setContext', 'rubricator.running', false);
  await client?.dispose();
}

async function offerHelp(error: unknown, log: vscode.LogOutputChannel): Promise<void> {
  log.error(error instanceof Error ? error : String(error));
  const settings = 'Set the path';
  const logs = 'Show logs';
  // Not awaited by the start: the message may stay open for as long as it likes.
  void vscode.window
    .showErrorMessage('Rubricator did not start. Is the program `rubricator` on the PATH, or `rubricator.server.path` set?', settings, logs)
    .then(choice => {
      if (choice === settings) void vscode.commands.executeCommand('workbench.action.openSettings', 'rubricator.server.path');
      if (choice === logs) log.show();
    });
}
