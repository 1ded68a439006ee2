// The status bar: what the server last said about itself.

import * as vscode from 'vscode';

/** What `rubricator/status` carries: a line, more lines, and whether anything is under way. */
interface Status {
  text?: string;
  detail?: string;
  running?: boolean;
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

  failed(why: string): void {
    this.show('$(error) Rubricator', why);
    this.item.backgroundColor = new vscode.ThemeColor('statusBarItem.errorBackground');
  }

  update(value: Status): void {
    if (value.running) this.show(`$(sync~spin) ${value.text}`, value.detail || 'Assessing. Click for the log.');
    else this.ready();
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
