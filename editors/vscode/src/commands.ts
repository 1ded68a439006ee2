// The palette. The server's own commands, under names that do not collide with those it registers.

import * as vscode from 'vscode';
import { ExecuteCommandRequest, LanguageClient } from 'vscode-languageclient/node';
import { found, menu, press, presses } from './review';

interface Surroundings {
  client: () => LanguageClient | undefined;
  restart: () => Promise<void>;
  log: vscode.LogOutputChannel;
}

export function registerCommands(context: vscode.ExtensionContext, { client, restart, log }: Surroundings): void {
  const register = (name: string, run: () => unknown) =>
    context.subscriptions.push(vscode.commands.registerCommand(`rubricator.editor.${name}`, run));
  const onServer = (command: string, more: object = {}) => async () => {
    const editor = vscode.window.activeTextEditor;
    const running = client();
    if (!running) {
      void vscode.window.showWarningMessage('The Rubricator server is not running. See its log.');
      return;
    }
    const uri = editor ? running.code2ProtocolConverter.asUri(editor.document.uri) : undefined;
    return explainRefusal(await running.sendRequest(ExecuteCommandRequest.type, { command, arguments: [{ uri, ...more }] }));
  };

  register('assessFile', onServer('rubricator.assess'));
  register('assessAll', onServer('rubricator.assessAll'));
  register('cancel', onServer('rubricator.cancel'));
  register('explain', onServer('rubricator.explain'));
  register('gate', onServer('rubricator.gate'));
  register('audit', onServer('rubricator.audit'));
  register('slice', onServer('rubricator.slice'));
  register('generate', onServer('rubricator.generate'));
  const next = onServer('rubricator.review', { say: 'next' });
  register('nextReview', async () => found(await next()));
  register('review', menu);
  for (const [name, title] of Object.entries(presses)) register(name, () => press(title));
  register('restart', restart);
  register('logs', () => log.show());
}

/** Commands answer `{accepted, reason?}` at once; a refusal is told to the user. Returns its argument. */
export function explainRefusal<T>(answer: T): T {
  const { accepted, reason } = (answer ?? {}) as { accepted?: boolean; reason?: string };
  if (accepted === false) void vscode.window.showWarningMessage(reason ?? 'Rubricator did not do that.');
  return answer;
}
