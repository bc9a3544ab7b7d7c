import { ISessionContextDialogs } from '@jupyterlab/apputils';
import { NotebookActions, NotebookPanel } from '@jupyterlab/notebook';

/**
 * Insert a code cell below the active cell, make it the active one and run it.
 *
 * No other cell is touched, and one undo takes the new cell away again. A notebook without a kernel
 * asks for one, as it does for any cell.
 *
 * @returns whether the cell ran without an error.
 */
export async function insertAndRun(
  panel: NotebookPanel,
  source: string,
  sessionDialogs: ISessionContextDialogs | null
): Promise<boolean> {
  const { content, sessionContext } = panel;
  if (!content.model) {
    return false;
  }
  const index = content.activeCell ? content.activeCellIndex + 1 : 0;
  // Not NotebookActions.insertBelow: its cell may be Markdown, where the user's settings say so.
  content.model.sharedModel.insertCell(index, {
    cell_type: 'code',
    source,
    metadata: { trusted: true }
  });
  content.activeCellIndex = index;
  content.deselectAll();
  return NotebookActions.run(content, sessionContext, sessionDialogs ?? undefined);
}
