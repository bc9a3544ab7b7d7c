import { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette, ISessionContextDialogs } from '@jupyterlab/apputils';
import { INotebookTracker } from '@jupyterlab/notebook';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { addDeployCommand, CommandIDs } from './commands';

/**
 * The command "Deploy model…", listed in the palette.
 *
 * The toolbar button is declared in `schema/deploy.json`, so that users can move or hide it. An
 * application without notebooks gets no command.
 */
export const deployPlugin: JupyterFrontEndPlugin<void> = {
  id: 'picsellia-jupyter:deploy',
  description: 'Adds the command that deploys a model version from the active notebook.',
  autoStart: true,
  optional: [INotebookTracker, ICommandPalette, ITranslator, ISessionContextDialogs],
  activate: (
    app: JupyterFrontEnd,
    tracker: INotebookTracker | null,
    palette: ICommandPalette | null,
    translator: ITranslator | null,
    sessionDialogs: ISessionContextDialogs | null
  ): void => {
    if (!tracker) {
      return;
    }
    const trans = (translator ?? nullTranslator).load('picsellia_jupyter');
    addDeployCommand(app, { tracker, trans, sessionDialogs });
    palette?.addItem({ command: CommandIDs.deploy, category: trans.__('Picsellia') });
  }
};
