import { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { HAS_ENDED } from './kernel';
import { leaveKeysToForms } from './keys';
import { forEachNotebook } from './notebooks';
import { outputsOf, WIDGET_VIEW } from './outputs';

const HTML = 'text/html';

/**
 * Leaves the keys of live panels to them, and the card of each whose kernel has ended.
 *
 * A kernel that is shut down leaves the card itself; one that was killed cannot.
 */
export const panelsPlugin: JupyterFrontEndPlugin<void> = {
  id: 'picsellia-jupyter:panels',
  description: 'Keeps live panels usable by keyboard, and their cards where a kernel has ended.',
  autoStart: true,
  optional: [INotebookTracker, ITranslator],
  activate: (
    _app: JupyterFrontEnd,
    tracker: INotebookTracker | null,
    translator: ITranslator | null
  ): void => {
    leaveKeysToForms();
    const trans = (translator ?? nullTranslator).load('picsellia_jupyter');
    const said = trans.__('Its kernel has ended: run the cell again for the live panel.');
    forEachNotebook(tracker, panel => {
      panel.sessionContext.statusChanged.connect((_context, status) => {
        if (HAS_ENDED.includes(status)) {
          leaveCards(panel, said);
        }
      });
    });
  }
};

function leaveCards(panel: NotebookPanel, said: string): void {
  for (const output of outputsOf(panel)) {
    const { [HTML]: card, 'text/plain': text, [WIDGET_VIEW]: view } = output.data;
    if (output.owner !== null && view && typeof card === 'string') {
      const note = document.createElement('p');
      note.className = 'jp-Picsellia-ended';
      note.textContent = said;
      const left = { [HTML]: card + note.outerHTML, 'text/plain': String(text ?? '') };
      output.replace(left, true);
    }
  }
}
