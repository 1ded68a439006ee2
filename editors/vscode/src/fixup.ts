// What the server cannot do by itself for a fixup: show it as a diff, and ask the person for a note.

import * as vscode from 'vscode';

/** The one argument of the server's commands; `ask` names what the person is asked for first. */
interface Target {
  uri?: string;
  transcript?: string;
  ask?: string;
  note?: string;
}

/** What `rubricator.previewFixup` carries: the replies as they are and as they would be. */
interface Preview extends Target {
  replies?: { exchange: number; before: string; after: string }[];
}

const scheme = 'rubricator-fixup';
const texts = new Map<string, string>();

/** Diffs are of read-only documents that live only as long as they are open. */
export function registerPreviews(context: vscode.ExtensionContext): void {
  context.subscriptions.push(
    vscode.workspace.registerTextDocumentContentProvider(scheme, { provideTextDocumentContent: uri => texts.get(uri.toString()) ?? '' }),
    vscode.workspace.onDidCloseTextDocument(document => texts.delete(document.uri.toString())),
  );
}

/** Shows a fixup as a diff; false when there is nothing to show. */
export async function previewFixup(preview: Preview | undefined): Promise<boolean> {
  const replies = preview?.replies ?? [];
  if (replies.length === 0) return false;
  const name = `${preview?.transcript ?? 'transcript'}, ${replies.length === 1 ? 'exchange' : 'exchanges'} ${replies.map(r => r.exchange).join(', ')}`;
  // Markdown, because its lines are wrapped; a tab of its own, because a passing one would close the transcript.
  const side = (which: 'before' | 'after') => {
    const uri = vscode.Uri.from({ scheme, path: `/${name}.md`, query: which });
    const heading = (exchange: number) => (replies.length === 1 ? '' : `— exchange ${exchange} —\n`);
    texts.set(uri.toString(), replies.map(reply => heading(reply.exchange) + reply[which]).join('\n\n') + '\n');
    return uri;
  };
  await vscode.commands.executeCommand('vscode.diff', side('before'), side('after'), `Fixup of ${name}`, { preview: false });
  return true;
}

/** The arguments with the note that they want; undefined when the person gives none. */
export async function withNote(args: unknown[]): Promise<unknown[] | undefined> {
  const [target, ...rest] = args as [Target | undefined, ...unknown[]];
  if (target?.ask !== 'note' || target.note) return args;
  const note = await vscode.window.showInputBox({ title: 'Draft again with a note', prompt: 'What should the rewrite do otherwise?', ignoreFocusOut: true });
  return note?.trim() ? [{ ...target, note }, ...rest] : undefined;
}
