import { JupyterFrontEnd } from '@jupyterlab/application';
import { ISessionContextDialogs } from '@jupyterlab/apputils';
import { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import { TranslationBundle } from '@jupyterlab/translation';

import { insertAndRun } from './cells';
import { deployIcon } from './icons';
import { isExtensionLoaded } from './kernel';

export namespace CommandIDs {
  /** Insert a cell below the active one that runs `%deploy`. */
  export const deploy = 'picsellia:deploy';
}

/** What the command needs from the application it lives in. */
export interface IDeployContext {
  tracker: INotebookTracker;
  trans: TranslationBundle;
  sessionDialogs: ISessionContextDialogs | null;
}

/** Register `picsellia:deploy`; it is enabled while a notebook is the current document. */
export function addDeployCommand(app: JupyterFrontEnd, context: IDeployContext): void {
  const { commands, shell } = app;
  const { tracker, trans, sessionDialogs } = context;

  const currentNotebook = (): NotebookPanel | null => {
    const panel = tracker.currentWidget;
    return panel?.content.model && panel === shell.currentWidget ? panel : null;
  };

  commands.addCommand(CommandIDs.deploy, {
    label: trans.__('Deploy model…'),
    caption: trans.__('Insert a cell that lists what can be deployed, and run it'),
    icon: deployIcon,
    isEnabled: () => currentNotebook() !== null,
    execute: async () => {
      const panel = currentNotebook();
      if (panel) {
        const loaded = await isExtensionLoaded(panel.sessionContext.session?.kernel);
        await insertAndRun(panel, deploySource(loaded), sessionDialogs);
      }
    }
  });

  const refresh = (): void => commands.notifyCommandChanged(CommandIDs.deploy);
  tracker.currentChanged.connect(refresh);
  shell.currentChanged?.connect(refresh);
}

/** The lines a user would type; a bare `%deploy` prints what can be deployed and how. */
function deploySource(extensionLoaded: boolean): string {
  return extensionLoaded ? '%deploy' : '%load_ext picsellia_jupyter\n%deploy';
}
