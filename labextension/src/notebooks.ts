import { JupyterFrontEnd } from '@jupyterlab/application';
import { ISessionContextDialogs } from '@jupyterlab/apputils';
import { PathExt } from '@jupyterlab/coreutils';
import { INotebookTracker, NotebookActions, NotebookPanel } from '@jupyterlab/notebook';

import { isExtensionLoaded } from './kernel';
import { ICard } from './outputs';

/** Have this called with every notebook that is open, and with each that will be opened. */
export function forEachNotebook(
  tracker: INotebookTracker | null,
  call: (panel: NotebookPanel) => void
): void {
  tracker?.widgetAdded.connect((_, panel) => call(panel));
  tracker?.forEach(call);
}

/** The notebook that the user works in, and cells for it. */
export class Notebooks {
  /**
   * @param _canOpen whether a new notebook appears in this very page, as in JupyterLab; Notebook 7
   *   opens a new browser tab for it, where our code does not go on.
   */
  constructor(
    private readonly _app: JupyterFrontEnd,
    private readonly _tracker: INotebookTracker | null,
    private readonly _sessionDialogs: ISessionContextDialogs | null,
    private readonly _canOpen: boolean
  ) {}

  /** Whether `currentOrNew` would find or make one. */
  get available(): boolean {
    return this.current !== null || this._canOpen;
  }

  /** The notebook that is, or was last, the current document. */
  get current(): NotebookPanel | null {
    const panel = this._tracker?.currentWidget ?? null;
    return panel?.content.model ? panel : null;
  }

  /** The current notebook, else a new one in a folder, with its kernel started. */
  async currentOrNew(folder = ''): Promise<NotebookPanel | null> {
    if (this.current || !this._canOpen) {
      return this.current;
    }
    const { commands, serviceManager } = this._app;
    await serviceManager.kernelspecs.ready;
    const kernelName = serviceManager.kernelspecs.specs?.default;
    const made: unknown = await commands.execute('notebook:create-new', {
      cwd: folder,
      ...(kernelName ? { kernelName } : {})
    });
    if (!(made instanceof NotebookPanel)) {
      return null;
    }
    await made.context.ready;
    await made.sessionContext.ready;
    return made;
  }

  /** Insert a line of magic below the active cell and run it, with what it needs before it. */
  async run(panel: NotebookPanel, line: string, host: string): Promise<boolean> {
    const loaded = await isExtensionLoaded(panel.sessionContext.session?.kernel);
    const before = loaded ? [] : [...connecting(host), '%load_ext picsellia_jupyter'];
    insert(panel, [...before, line].join('\n'), true);
    this._app.shell.activateById(panel.id);
    const { content, sessionContext } = panel;
    return NotebookActions.run(content, sessionContext, this._sessionDialogs ?? undefined);
  }

  /** Where a file of the server lies, as the current notebook's kernel would find it. */
  fromNotebook(path: string): string {
    const { contents } = this._app.serviceManager;
    const here = this.current ? PathExt.dirname(contents.localPath(this.current.context.path)) : '';
    const folder = this.current ? here : PathExt.dirname(contents.localPath(path));
    return PathExt.relative(folder, contents.localPath(path));
  }
}

/**
 * Insert a code cell below the active one; one undo takes it away again.
 *
 * @param activate whether it becomes the active cell, in the place of one that is blank.
 * @param card what it shows as if it had been run.
 */
export function insert(
  panel: NotebookPanel,
  source: string,
  activate: boolean,
  card: ICard | null = null,
  below: number = panel.content.activeCellIndex
): void {
  const { content } = panel;
  const cells = content.model?.sharedModel;
  if (!cells) {
    return;
  }
  const index = content.activeCell ? below + 1 : 0;
  const above = cells.cells[index - 1];
  const isBlank = activate && above?.cell_type === 'code' && !above.getSource().trim();
  const output = { output_type: 'display_data', data: { ...card }, metadata: {} };
  cells.transact(() => {
    // Not NotebookActions.insertBelow: its cell may be Markdown, where the user's settings say so.
    cells.insertCell(index, {
      cell_type: 'code',
      source,
      metadata: { trusted: true },
      outputs: card ? [output] : []
    });
    if (isBlank) {
      cells.deleteCell(index - 1);
    }
  });
  if (activate) {
    content.activeCellIndex = isBlank ? index - 1 : index;
    content.deselectAll();
  }
}

/** What has a kernel ask the platform of the settings. */
function connecting(host: string): string[] {
  return host ? [`%env PICSELLIA_HOST=${host}`] : [];
}

/** A word of a magic's line, which is split as a shell does it; `$name` would be a variable. */
export function quoted(word: string): string {
  return /^[\w./:@%+=,-]+$/.test(word) ? word : `'${word.replace(/'/g, `'"'"'`)}'`;
}
