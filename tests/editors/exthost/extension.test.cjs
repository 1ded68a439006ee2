// What other extensions and the workbench get from this one, by VS Code's own interfaces.

const assert = require('node:assert');
const vscode = require('vscode');

const until = async (what, condition, seconds = 30) => {
  const end = Date.now() + seconds * 1000;
  while (Date.now() < end) {
    const value = await condition();
    if (value) return value;
    await new Promise(resolve => setTimeout(resolve, 50));
  }
  throw new Error(`${what}: not within ${seconds} s`);
};

suite('extension', () => {
  let document;
  const findings = code => vscode.languages.getDiagnostics(document.uri).filter(d => (d.code?.value ?? d.code) === code);
  const words = code => findings(code).map(d => document.getText(d.range)).sort();

  suiteSetup(async () => {
    const folder = vscode.workspace.workspaceFolders[0].uri;
    document = await vscode.workspace.openTextDocument(vscode.Uri.joinPath(folder, 'data/raw/first-week.jsonl'));
    await vscode.window.showTextDocument(document);
  });

  test('is active in a JSON Lines file', async () => {
    assert.strictEqual(document.languageId, 'jsonl');
    const extension = vscode.extensions.getExtension('rubricator.rubricator');
    await extension.activate();
    assert.ok(extension.isActive);
  });

  test('has its commands in the palette', async () => {
    const all = await vscode.commands.getCommands(true);
    const names = ['assessFile', 'assessAll', 'cancel', 'explain', 'restart', 'logs'];
    const missing = names.map(n => `rubricator.editor.${n}`).filter(n => !all.includes(n));
    assert.deepStrictEqual(missing, []);
  });

  test('shows checks while typing', async () => {
    await until('the phrase', () => findings('FO2').length === 1);
    assert.deepStrictEqual(words('FO2'), ['I hear you']);
  });

  test('offers lenses and hints', async () => {
    const lenses = await until('lenses', async () => {
      const found = await vscode.commands.executeCommand('vscode.executeCodeLensProvider', document.uri, 20);
      return found.length > 0 && found;
    });
    assert.ok(lenses.some(lens => lens.command?.title));
    const end = document.lineAt(document.lineCount - 1).range.end;
    const hints = await vscode.commands.executeCommand('vscode.executeInlayHintProvider', document.uri, new vscode.Range(new vscode.Position(0, 0), end));
    assert.ok(hints.length > 0);
  });

  test('assesses by command, and puts findings on the quoted words', async () => {
    await vscode.commands.executeCommand('rubricator.editor.assessFile');
    await until('judged findings', () => findings('SA1').length === 1 && findings('HO1').length === 1);
    assert.deepStrictEqual(words('SA1'), ['stop taking them tonight']);
    assert.deepStrictEqual(words('HO1'), ['As you told me, your sister']);
    assert.strictEqual(findings('SA1')[0].severity, vscode.DiagnosticSeverity.Error);
    assert.ok(findings('SA1')[0].relatedInformation.length >= 2, 'each judge is related information');
  });

  test('fixes a phrase', async () => {
    const [finding] = findings('FO2');
    const actions = await vscode.commands.executeCommand('vscode.executeCodeActionProvider', document.uri, finding.range);
    const action = actions.find(a => a.title.includes('I see'));
    assert.ok(action, JSON.stringify(actions.map(a => a.title)));
    assert.ok(await vscode.workspace.applyEdit(action.edit));
    await until('the finding to go', () => findings('FO2').length === 0);
    assert.match(document.lineAt(1).text, /"I see\. It is never just the dishes/);
  });

  test('drafts a fixup, shows it as a diff, and applies it', async () => {
    // The first conversation, with a sister nobody mentioned.
    const sentence = ' As you told me, your sister keeps hers there too \u{1f60a}.';
    const conversation = { ...JSON.parse(document.lineAt(0).text), id: 'walk' };
    const reply = conversation.messages[3];
    reply.content = reply.content.replace('when you go to bed.', `when you go to bed.${sentence}`);
    const folder = vscode.workspace.workspaceFolders[0].uri;
    const uri = vscode.Uri.joinPath(folder, 'data/raw/walk.jsonl');
    await vscode.workspace.fs.writeFile(uri, Buffer.from(`${JSON.stringify(conversation)}\n`));
    const walk = await vscode.workspace.openTextDocument(uri);
    await vscode.window.showTextDocument(walk);
    const before = walk.getText();
    const found = () => vscode.languages.getDiagnostics(uri).find(d => (d.code?.value ?? d.code) === 'HO1');
    await vscode.commands.executeCommand('rubricator.assess', { uri: uri.toString() });
    const finding = await until('the failure', found);
    const action = async title => {
      const all = await vscode.commands.executeCommand('vscode.executeCodeActionProvider', uri, finding.range);
      return all.find(a => a.title.startsWith(title));
    };
    const press = async title => {
      const { command } = await until(title, () => action(title));
      return vscode.commands.executeCommand(command.command, ...command.arguments);
    };
    await press('Draft fixup of exchange 2 (HO1)');
    await until('the proof', () => found()?.message.includes('a proven fixup can be applied'));

    await press('Preview fixup');
    const diff = await until('the diff', () => {
      const { input } = vscode.window.tabGroups.activeTabGroup.activeTab ?? {};
      return input instanceof vscode.TabInputTextDiff && input;
    });
    const side = async which => (await vscode.workspace.openTextDocument(which)).getText();
    assert.ok((await side(diff.original)).includes(sentence));
    assert.ok(!(await side(diff.modified)).includes(sentence));
    assert.strictEqual(walk.getText(), before);

    await vscode.window.showTextDocument(walk);
    const { edit } = await until('the edit', () => action('Apply fixup of exchange 2'));
    assert.ok(await vscode.workspace.applyEdit(edit));
    await until('the text', () => walk.getText() === before.replace(sentence, ''));
    await until('the finding to go', () => !found());
    await walk.save();
    await vscode.commands.executeCommand('workbench.action.closeActiveEditor');
    await vscode.window.showTextDocument(document);
  });

  test('starts again with what it knew', async () => {
    await vscode.commands.executeCommand('rubricator.editor.restart');
    await until('the phrase to stay fixed and the gate to come back', () => findings('FO2').length === 0 && findings('SA1').length === 1);
  });
});
