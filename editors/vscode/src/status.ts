// The status bar: what the server last said about itself.

import * as vscode from 'vscode';

/** What `rubricator/status` carries: a line, more lines, whether anything is under way, and the gate of each batch. */
interface Status {
  text?: string;
  detail?: string;
  running?: boolean;
  gate?: Gate[];
}

interface Gate {
  batch: string;
  decision: string;
  missing: string[];
}

export class StatusBar implements vscode.Disposable {
  private readonly item = vscode.window.createStatusBarItem('rubricator', vscode.StatusBarAlignment.Left);

  constructor() {
    this.item.name = 'Rubricator';
    this.item.command = 'rubricator.editor.logs';
  }

  starting(): void {
    this.show('$(loading~spin) Rubricator', 'The server is starting.');
  }

  ready(): void {
    this.show('$(checklist) Rubricator', 'The server is running. Click for its log.');
  }

  /** Nothing is under way: how many batches may scale, and what keeps the others. */
  private rest(gates: Gate[]): void {
    if (gates.length === 0) return this.ready();
    const open = gates.filter(gate => gate.decision === 'scale').length;
    const lines = gates.map(gate => [`${gate.batch}: ${gate.decision}`, ...gate.missing].join('\n    '));
    this.show(`$(checklist) Rubricator ${open}/${gates.length}`, `${open} of ${gates.length} batches may scale.\n${lines.join('\n')}`);
  }

  failed(why: string): void {
    this.show('$(error) Rubricator', why);
    this.item.backgroundColor = new vscode.ThemeColor('statusBarItem.errorBackground');
  }

  update(value: Status): void {
    if (value.running) this.show(`$(sync~spin) ${value.text}`, value.detail || 'Assessing. Click for the log.');
    else this.rest(value.gate ?? []);
  }

  /** Shown or hidden, as the setting says. */
  render(): void {
    if (vscode.workspace.getConfiguration('rubricator').get('statusBar', true)) this.item.show();
    else this.item.hide();
  }

  dispose(): void {
    this.item.dispose();
  }

  private show(text: string, tooltip: string): void {
    this.item.text = text;
    this.item.tooltip = tooltip;
    this.item.backgroundColor = undefined;
    this.render();
  }
}
