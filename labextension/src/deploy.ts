import { ILabShell, JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette, ISessionContextDialogs, Notification } from '@jupyterlab/apputils';
import { INotebookTracker, NotebookActions } from '@jupyterlab/notebook';
import { Kernel } from '@jupyterlab/services';
import { ITranslator, nullTranslator, TranslationBundle } from '@jupyterlab/translation';

import { CommandIDs } from './commandids';
import { deployIcon } from './icons';
import { SilentRuns, warmUp } from './kernel';
import { Notebooks } from './notebooks';
import { AnswerError } from './request';
import { IPlatform } from './tokens';
import { IPreferences } from './values';

/**
 * The command "Deploy model…", listed in the palette.
 *
 * The toolbar button and the shortcut are declared in `schema/deploy.json`, so that users can move,
 * change or hide them.
 */
export const deployPlugin: JupyterFrontEndPlugin<void> = {
  id: 'picsellia-jupyter:deploy',
  description: 'Adds the command that deploys a model version from a notebook.',
  autoStart: true,
  requires: [IPlatform],
  optional: [INotebookTracker, ICommandPalette, ITranslator, ISessionContextDialogs, ILabShell],
  activate: (
    app: JupyterFrontEnd,
    platform: IPlatform,
    tracker: INotebookTracker | null,
    palette: ICommandPalette | null,
    translator: ITranslator | null,
    sessionDialogs: ISessionContextDialogs | null,
    labShell: ILabShell | null
  ): void => {
    const trans = (translator ?? nullTranslator).load('picsellia_jupyter');
    const notebooks = new Notebooks(app, tracker, sessionDialogs, labShell !== null);
    const silently = new SilentRuns(trans);
    app.commands.addCommand(CommandIDs.deploy, {
      label: trans.__('Deploy model…'),
      caption: trans.__('Choose a model version and deploy it'),
      icon: deployIcon,
      isEnabled: () => notebooks.available,
      execute: async args => {
        const model = typeof args['model'] === 'string' ? args['model'] : null;
        const panel = await notebooks.currentOrNew();
        const kernel = panel?.sessionContext.session?.kernel;
        if (panel && kernel) {
          app.shell.activateById(panel.id);
          await openForm(silently, kernel, formCode(model, platform.preferences), trans);
        } else if (panel) {
          const message = trans.__('The notebook has no kernel: choose one first.');
          Notification.warning(message, { autoClose: 6000 });
        }
      }
    });
    palette?.addItem({ command: CommandIDs.deploy, category: trans.__('Picsellia') });
    const refresh = (): void => app.commands.notifyCommandChanged(CommandIDs.deploy);
    tracker?.currentChanged.connect(refresh);
    NotebookActions.executed.connect((_, { notebook, cell, success }) => {
      const panel = tracker?.find(one => one.content === notebook);
      const kernel = panel?.sessionContext.session?.kernel;
      if (kernel && success) {
        // One that ends meanwhile needs nothing.
        warmUp(kernel, cell.model.sharedModel.getSource()).catch(() => undefined);
      }
    });
  }
};

async function openForm(
  silently: SilentRuns,
  kernel: Kernel.IKernelConnection,
  code: string,
  trans: TranslationBundle
): Promise<void> {
  try {
    await silently.run(kernel, code, () => {
      const message = trans.__('The kernel is busy: the form opens when its cells have run.');
      Notification.info(message, { autoClose: 5000 });
    });
  } catch (error) {
    if (!(error instanceof AnswerError)) {
      return; // The kernel was restarted or shut down meanwhile.
    }
    Notification.error(error.message, { autoClose: false });
  }
}

/** What opens the form in a kernel, with what the user has set filled in. */
function formCode(model: string | null, { platform, threshold, place }: IPreferences): string {
  const given = [
    ...(model ? [`model=${JSON.stringify(model)}`] : []),
    ...(threshold === null ? [] : [`threshold=${threshold}`]),
    ...(place ? [`on=${JSON.stringify(place)}`] : []),
    'cell=False'
  ];
  return [
    ...(platform
      ? [`get_ipython().run_line_magic("env", ${JSON.stringify(`PICSELLIA_HOST=${platform}`)})`]
      : []),
    'from picsellia_jupyter.magics import open_deploy_form',
    `open_deploy_form(${given.join(', ')})`
  ].join('\n');
}
