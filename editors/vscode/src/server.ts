// Which program is the server, which documents it sees, and what it is told at the start.

import * as fs from 'node:fs';
import * as path from 'node:path';
import * as vscode from 'vscode';
import { DocumentSelector, ExecuteCommandSignature, LanguageClient } from 'vscode-languageclient/node';
import { explainRefusal } from './commands';
import { previewFixup, withNote } from './fixup';
import { completed } from './review';

/** Records a line are transcripts wherever they are; of JSON and YAML only what a project would hold. */
const documents: DocumentSelector = [
  { scheme: 'file', language: 'jsonl' },
  { scheme: 'file', pattern: '**/*.{jsonl,ndjson}' },
  { scheme: 'file', language: 'json', pattern: '**/data/**/*.json' },
  { scheme: 'file', pattern: '**/*rubric*.{yaml,yml}' },
  { scheme: 'file', pattern: '**/config/*.{yaml,yml}' },
  { scheme: 'file', pattern: '**/rubricator.toml' },
];

/** Commands that say what the person is to be asked for first. */
const asking = ['rubricator.review', 'rubricator.critique'];

/** A client that is ready to start. */
export function createClient(context: vscode.ExtensionContext, log: vscode.LogOutputChannel): LanguageClient {
  const settings = vscode.workspace.getConfiguration('rubricator');
  const command = program(context, settings.get('server.path', ''));
  log.info(`server: ${command}`);
  return new LanguageClient(
    'rubricator',
    'Rubricator',
    { command, args: ['lsp'], options: { env: { ...process.env, ...settings.get<Record<string, string>>('server.environment', {}) } } },
    {
      documentSelector: documents,
      outputChannel: log,
      // No judge is asked for a folder nobody has trusted: the server does the static work only.
      initializationOptions: { trusted: vscode.workspace.isTrusted, settings: { assess: settings.get('assess'), tokens: settings.get('tokens') } },
      middleware: {
        executeCommand: async (name: string, args: unknown[], next: ExecuteCommandSignature) => {
          if (name === 'rubricator.previewFixup' && (await previewFixup(args[0] as Parameters<typeof previewFixup>[0]))) return undefined;
          const wanted = await (asking.includes(name) ? completed(args) : withNote(args));
          return wanted && explainRefusal(await next(name, wanted));
        },
      },
    },
  );
}

/** The setting, else the program in the package, else the one on the PATH. */
function program(context: vscode.ExtensionContext, configured: string): string {
  if (configured !== '') return expandHome(configured);
  const name = process.platform === 'win32' ? 'rubricator.exe' : 'rubricator';
  const bundled = context.asAbsolutePath(path.join('server', name));
  return fs.existsSync(bundled) ? bundled : name;
}

function expandHome(value: string): string {
  return value.startsWith('~/') ? path.join(process.env.HOME ?? '', value.slice(2)) : value;
}
