import { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import { Kernel } from '@jupyterlab/services';

import { Form, formMessage } from './form';
import { forEachNotebook } from './notebooks';

const TARGET = 'picsellia.dialog';

/**
 * Shows the forms of kernels in native dialogs.
 *
 * A kernel opens a comm; the dialog renders the form's widget view with the notebook's own
 * renderers, so that it is the same form that appears under a cell elsewhere.
 */
export const dialogPlugin: JupyterFrontEndPlugin<void> = {
  id: 'picsellia-jupyter:dialog',
  description: 'Shows the deploy form of a kernel in a dialog.',
  autoStart: true,
  optional: [INotebookTracker],
  activate: (_app: JupyterFrontEnd, tracker: INotebookTracker | null): void => {
    forEachNotebook(tracker, follow);
  }
};

/** Listen to every kernel that a notebook will have. */
function follow(panel: NotebookPanel): void {
  const listen = (): void => {
    const kernel = panel.sessionContext.session?.kernel;
    if (kernel) {
      // A kernel that ends before it answers has no forms.
      hear(panel, kernel).catch(() => undefined);
    }
  };
  panel.sessionContext.kernelChanged.connect(listen);
  listen();
}

async function hear(panel: NotebookPanel, kernel: Kernel.IKernelConnection): Promise<void> {
  kernel.registerCommTarget(TARGET, (comm, message) => {
    void new Form(panel, kernel, comm).show(formMessage(message));
  });
  // Forms that were open before the page was loaded again: their kernel tells of them anew.
  const { content } = await kernel.requestCommInfo({ target_name: TARGET });
  for (const id of content.status === 'ok' ? Object.keys(content.comms) : []) {
    if (!kernel.hasComm(id)) {
      const comm = kernel.createComm(TARGET, id);
      new Form(panel, kernel, comm);
      comm.send({ reattach: true });
    }
  }
}
