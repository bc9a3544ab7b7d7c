import { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { Notification } from '@jupyterlab/apputils';
import { ITranslator, nullTranslator, TranslationBundle } from '@jupyterlab/translation';

import { CommandIDs } from './commandids';
import { stateInWords } from './states';
import { IPlatform } from './tokens';
import { IDeployment } from './values';

/** Tells when a deployment is ready or fails, when its alerts fire, and how its training ended. */
export const noticesPlugin: JupyterFrontEndPlugin<void> = {
  id: 'picsellia-jupyter:notices',
  description: 'Notifies of deployments that are ready or fail, of their alerts and training.',
  autoStart: true,
  requires: [IPlatform],
  optional: [ITranslator],
  activate: (app: JupyterFrontEnd, platform: IPlatform, translator: ITranslator | null): void => {
    const trans = (translator ?? nullTranslator).load('picsellia_jupyter');
    const notices = new Notices(trans, (command, id) => void app.commands.execute(command, { id }));
    platform.changed.connect(() => {
      notices.compare(platform.overview?.deployments ?? null, platform.preferences.notify);
    });
  }
};

type Kind = 'success' | 'warning' | 'error';

/** Compares what is with what was; what was there when the page was loaded is no news. */
class Notices {
  constructor(
    private readonly _trans: TranslationBundle,
    private readonly _run: (command: string, id: string) => void
  ) {}

  compare(deployments: readonly IDeployment[] | null, notify: boolean): void {
    if (!deployments) {
      this._known = null;
      return;
    }
    for (const now of notify && this._known ? deployments : []) {
      const before = this._known?.get(now.id);
      this._tellState(before, now);
      this._tellAlerts(before, now);
      this._tellTraining(before, now);
    }
    this._known = new Map(deployments.map(one => [one.id, one]));
  }

  private _tellState(before: IDeployment | undefined, now: IDeployment): void {
    const trans = this._trans;
    const { name, state, reason } = now;
    if (state === before?.state) {
      return;
    }
    if (state === 'ready') {
      this._say('success', trans.__('%1 is ready.', name), now, CommandIDs.dashboard);
    } else if (['unhealthy', 'degraded', 'paused'].includes(state)) {
      const fact = trans.__('%1 is %2', name, stateInWords(state, trans));
      const [kind, command] =
        state === 'paused'
          ? (['warning', CommandIDs.dashboard] as const)
          : (['error', CommandIDs.log] as const);
      this._say(kind, reason ? `${fact}: ${reason}` : `${fact}.`, now, command);
    } else if (state === 'stopped' && before?.running && reason) {
      this._say('warning', trans.__('%1 stopped: %2', name, reason), now, CommandIDs.log);
    }
  }

  private _tellAlerts(before: IDeployment | undefined, now: IDeployment): void {
    const known = before?.alerts?.map(one => one.id) ?? [];
    for (const { id, name, value } of now.alerts ?? []) {
      if (!known.includes(id)) {
        const met = value.toLocaleString(undefined, { maximumSignificantDigits: 3 });
        const text = this._trans.__('%1: the alert “%2” fired at %3.', now.name, name, met);
        this._say('warning', text, now, CommandIDs.dashboard);
      }
    }
  }

  private _tellTraining(before: IDeployment | undefined, now: IDeployment): void {
    const [was, is] = [before?.training, now.training];
    if (!is || (is.id === was?.id && is.state === was.state)) {
      return;
    }
    const trans = this._trans;
    if (is.state === 'success') {
      const text = trans.__('Training of %1 is done: %2.', now.name, is.version);
      this._say('success', text, now, CommandIDs.training);
    } else if (is.state === 'failed') {
      const text = trans.__('Training of %1 failed: %2', now.name, is.error);
      this._say('error', text, now, CommandIDs.training);
    }
  }

  private _say(kind: Kind, message: string, { id }: IDeployment, command: string): void {
    const labels: Record<string, string> = {
      [CommandIDs.log]: this._trans.__('Show log'),
      [CommandIDs.training]: this._trans.__('Show training')
    };
    const label = labels[command] ?? this._trans.__('Open panel');
    Notification.emit(message, kind, {
      autoClose: kind === 'success' ? 6000 : false,
      actions: [{ label, callback: () => this._run(command, id) }]
    });
  }

  private _known: ReadonlyMap<string, IDeployment> | null = null;
}
