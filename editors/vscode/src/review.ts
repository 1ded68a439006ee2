// Review by keyboard: what a person says is a code action of the server's, found by the beginning of its title.
// What an action wants to know (`ask`) is asked for here, a text or one of its `choices`, and sent along.

import * as vscode from 'vscode';

/** The kind of the server's review actions. */
const kind = vscode.CodeActionKind.Source.append('rubricator.review');

/** Commands of the palette and the beginnings of the titles they press. */
export const presses: Record<string, string> = {
  accept: 'Accept',
  reject: 'Reject',
  judgeRight: 'Judge is right',
  judgeWrong: 'Judge is wrong',
  note: 'Note on',
  noteMissing: 'Note a missing criterion',
  satisfactory: 'Declare batch',
  calibrationExample: 'Use as calibration example',
};

/** Runs the review action here whose title starts so; of several, the person chooses. */
export async function press(title: string): Promise<void> {
  const editor = vscode.window.activeTextEditor;
  if (!editor) return;
  const found = await vscode.commands.executeCommand<vscode.CodeAction[]>(
    'vscode.executeCodeActionProvider',
    editor.document.uri,
    editor.selection,
    kind.value,
  );
  const fitting = (found ?? []).filter(action => action.title.startsWith(title) && action.command);
  if (fitting.length === 0) {
    void vscode.window.showInformationMessage(`Nothing to say here: no "${title}" at the cursor.`);
    return;
  }
  const chosen = fitting.length === 1 ? fitting[0] : await choose(fitting);
  const command = chosen?.command;
  if (command) await vscode.commands.executeCommand(command.command, ...(command.arguments ?? []));
}

/** All that can be said here. */
export async function menu(): Promise<void> {
  await press('');
}

async function choose(actions: vscode.CodeAction[]): Promise<vscode.CodeAction | undefined> {
  const items = actions.map(action => ({ label: action.title, action }));
  return (await vscode.window.showQuickPick(items, { placeHolder: 'What do you say?' }))?.action;
}

/** Asks for what a command wants to know first; `undefined`: the person thought better of it. */
export async function completed(args: unknown[]): Promise<unknown[] | undefined> {
  const [first, ...rest] = args;
  const target = first as { ask?: string; criterion?: string; choices?: string[] } | undefined;
  if (!target?.ask || target.ask in target) return args;
  const about = target.criterion ? ` (${target.criterion})` : '';
  const text = target.choices
    ? await vscode.window.showQuickPick(target.choices, { placeHolder: `Which ${target.ask}?`, ignoreFocusOut: true })
    : await vscode.window.showInputBox({ prompt: `Your ${target.ask}${about}`, ignoreFocusOut: true });
  return text ? [{ ...target, [target.ask]: text }, ...rest] : undefined;
}

/** Tells what `next` found, and shows it where the server could not. */
export async function found(answer: unknown): Promise<void> {
  const { location, message, shown } = (answer ?? {}) as { location?: { uri: string; range: { start: Place } }; message?: string; shown?: boolean };
  if (!location) return;
  if (!shown) {
    const at = new vscode.Position(location.range.start.line, location.range.start.character);
    await vscode.window.showTextDocument(vscode.Uri.parse(location.uri), { selection: new vscode.Range(at, at) });
  }
  if (message) vscode.window.setStatusBarMessage(`$(eye) ${message}`, 20_000);
}

interface Place {
  line: number;
  character: number;
}
