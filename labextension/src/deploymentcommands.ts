import { JupyterFrontEnd } from '@jupyterlab/application';
import { Dialog, InputDialog, Notification, showDialog } from '@jupyterlab/apputils';
import { TranslationBundle } from '@jupyterlab/translation';
import { historyIcon as trainingIcon, stopIcon } from '@jupyterlab/ui-components';
import { ReadonlyPartialJSONObject } from '@lumino/coreutils';

import { CommandIDs } from './commandids';
import { dashboardIcon, logIcon } from './icons';
import { LogView } from './logview';
import { Notebooks, quoted } from './notebooks';
import { AnswerError } from './request';
import { hasLog, stateInWords } from './states';
import { IPlatform } from './tokens';
import { IDeployment } from './values';

/** What the commands on deployments need. */
export interface IDeploymentContext {
  readonly app: JupyterFrontEnd;
  readonly platform: IPlatform;
  readonly notebooks: Notebooks;
  readonly trans: TranslationBundle;
  /** The deployment that is selected in the sidebar. */
  readonly selected: () => IDeployment | null;
}

/**
 * Register what can be done with a deployment.
 *
 * Each command takes its `id`, or `selected: true` for that of the sidebar; else it asks which.
 */
export function addDeploymentCommands(context: IDeploymentContext): void {
  const { app, trans, selected } = context;
  const add = (
    id: string,
    [short, long]: readonly [string, string],
    icon: typeof logIcon,
    run: (context: IDeploymentContext, deployment: IDeployment) => Promise<void>,
    suits: (deployment: IDeployment) => boolean = () => true
  ): void => {
    app.commands.addCommand(id, {
      // In the palette a command says what it is of.
      label: args => (args['isPalette'] ? long : short),
      icon,
      isVisible: args => {
        const deployment = args['selected'] ? selected() : null;
        return !args['selected'] || (deployment !== null && suits(deployment));
      },
      execute: async args => {
        const deployment = await meant(context, args, short, suits);
        if (deployment) {
          await run(context, deployment);
        }
      }
    });
  };
  const { __ } = { __: trans.__.bind(trans) };
  const panel = [__('Open panel'), __('Open the panel of a deployment')] as const;
  const log = [__('Show log'), __('Show the log of a deployment')] as const;
  const training = [__('Show training run'), __('Show the training run of a deployment')] as const;
  const stopped = [__('Stop deployment…'), __('Stop a deployment…')] as const;
  add(CommandIDs.dashboard, panel, dashboardIcon, showDashboard);
  add(CommandIDs.log, log, logIcon, showLog, hasLog);
  add(CommandIDs.training, training, trainingIcon, showTraining, one => one.training !== null);
  add(CommandIDs.stop, stopped, stopIcon, stop, one => one.running);
}

async function meant(
  { platform, trans, selected }: IDeploymentContext,
  args: ReadonlyPartialJSONObject,
  title: string,
  suits: (deployment: IDeployment) => boolean
): Promise<IDeployment | null> {
  if (args['selected']) {
    return selected();
  }
  const find = (): readonly IDeployment[] => platform.overview?.deployments ?? [];
  if (typeof args['id'] === 'string') {
    return find().find(one => one.id === args['id']) ?? null;
  }
  await platform.wake();
  const all = find();
  const suited = all.filter(suits);
  if (suited.length === 0 && all.length > 0) {
    const message = trans.__('There is no deployment for this now: %1', title);
    Notification.info(message, { autoClose: 6000 });
    return null;
  }
  return choose(suited, title, trans);
}

/** Have the user choose a deployment; the only one is not asked for. */
export async function choose(
  deployments: readonly IDeployment[],
  title: string,
  trans: TranslationBundle
): Promise<IDeployment | null> {
  if (deployments.length === 0) {
    const message = trans.__('There is no deployment yet: deploy a model version first.');
    Notification.info(message, { autoClose: 6000 });
    return null;
  }
  if (deployments.length === 1) {
    return deployments[0] ?? null;
  }
  const items = deployments.map(
    one => `${one.name} · ${one.model} · ${stateInWords(one.state, trans)}`
  );
  const { value } = await InputDialog.getItem({ title, label: trans.__('Deployment'), items });
  return deployments[items.indexOf(value ?? '')] ?? null;
}

function showDashboard(context: IDeploymentContext, { name }: IDeployment): Promise<void> {
  return runLine(context, `%deployment ${quoted(name)}`);
}

function showTraining(context: IDeploymentContext, { name }: IDeployment): Promise<void> {
  return runLine(context, `%retrain ${quoted(name)} --follow`);
}

async function runLine({ notebooks, platform }: IDeploymentContext, line: string): Promise<void> {
  const panel = await notebooks.currentOrNew();
  if (panel) {
    await notebooks.run(panel, line, platform.preferences.platform);
  }
}

async function showLog(
  { app, platform, trans }: IDeploymentContext,
  deployment: IDeployment
): Promise<void> {
  const id = LogView.idOf(deployment);
  const shown = Array.from(app.shell.widgets('down')).find(one => one.id === id);
  if (!shown) {
    app.shell.add(new LogView(platform, deployment, trans), 'down');
  }
  app.shell.activateById(id);
}

async function stop(
  { platform, trans }: IDeploymentContext,
  { id, name }: IDeployment
): Promise<void> {
  const { button } = await showDialog({
    title: trans.__('Stop %1?', name),
    body: trans.__('Its serving kernel ends. Its predictions and its dashboard stay.'),
    buttons: [Dialog.cancelButton(), Dialog.warnButton({ label: trans.__('Stop') })]
  });
  if (!button.accept) {
    return;
  }
  const stopping = platform.stop(id);
  Notification.promise(stopping, {
    pending: { message: trans.__('Stopping %1…', name), options: { autoClose: false } },
    success: {
      message: notes => [trans.__('%1 is stopped.', name), ...(notes as string[])].join(' '),
      options: { autoClose: 6000 }
    },
    error: {
      message: reason => (reason as AnswerError).message,
      options: { autoClose: false }
    }
  });
  await stopping.catch(() => undefined); // The notification tells.
}
