import { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { HAS_ENDED } from './kernel';
import { outputsOf } from './outputs';

const VIEW = 'application/vnd.jupyter.widget-view+json';
const HTML = 'text/html';

/**
 * Leaves the card of each live panel whose kernel has ended.
 *
 * A kernel that is shut down does so itself; one that was killed cannot.
 */
export const panelsPlugin: JupyterFrontEndPlugin<void> = {
  id: 'picsellia-jupyter:panels',
  description: 'Leaves a card in the place of a live panel whose kernel has ended.',
  autoStart: true,
  optional: [INotebookTracker, ITranslator],
  activate: (
    _app: JupyterFrontEnd,
    tracker: INotebookTracker | null,
    translator: ITranslator | null
  ): void => {
    const trans = (translator ?? nullTranslator).load('picsellia_jupyter');
    const said = trans.__('Its kernel has ended: run the cell again for the live panel.');
    tracker?.widgetAdded.connect((_, panel) => {
      panel.sessionContext.statusChanged.connect((_context, status) => {
        if (HAS_ENDED.includes(status)) {
          leaveCards(panel, said);
        }
      });
    });
  }
};

function leaveCards(panel: NotebookPanel, said: string): void {
  for (const { outputs, index } of outputsOf(panel)) {
    const { data, metadata } = outputs.get(index);
    const card = data[HTML];
    if (metadata['picsellia'] && VIEW in data && typeof card === 'string') {
      const note = document.createElement('p');
      note.className = 'jp-Picsellia-ended';
      note.textContent = said;
      const rest = { 'text/plain': data['text/plain'] ?? '' };
      outputs.set(index, {
        output_type: 'display_data',
        data: { [HTML]: card + note.outerHTML, ...rest },
        metadata: { ...metadata }
      });
    }
  }
}
