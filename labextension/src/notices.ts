import { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { Notification } from '@jupyterlab/apputils';
import { ITranslator, nullTranslator, TranslationBundle } from '@jupyterlab/translation';

import { CommandIDs } from './commandids';
import { IPlatform } from './tokens';
import { IDeployment } from './values';

/** Tells when a deployment is ready, when it fails, and when its alerts fire. */
export const noticesPlugin: JupyterFrontEndPlugin<void> = {
  id: 'picsellia-jupyter:notices',
  description: 'Notifies of deployments that are ready or fail, and of their alerts.',
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
      this._tell(this._known?.get(now.id), now);
    }
    this._known = new Map(deployments.map(one => [one.id, one]));
  }

  private _tell(before: IDeployment | undefined, now: IDeployment): void {
    const { __ } = { __: this._trans.__.bind(this._trans) };
    if (now.state !== before?.state) {
      if (now.state === 'ready') {
        this._say('success', __('%1 is ready.', now.name), now, CommandIDs.dashboard);
      } else if (now.state === 'unhealthy' || now.state === 'degraded') {
        const why = now.reason ? `: ${now.reason}` : '.';
        this._say('error', __('%1 is %2', now.name, now.state) + why, now, CommandIDs.log);
      } else if (now.state === 'paused') {
        const why = now.reason ? `: ${now.reason}` : '.';
        this._say('warning', __('%1 is paused', now.name) + why, now, CommandIDs.dashboard);
      } else if (now.state === 'stopped' && before?.running && now.reason) {
        this._say('warning', __('%1 stopped: %2', now.name, now.reason), now, CommandIDs.log);
      }
    }
    const fired = (now.alerts ?? 0) - (before?.alerts ?? 0);
    if (before && fired > 0) {
      const text = this._trans._n('%2: %1 alert fired.', '%2: %1 alerts fired.', fired, now.name);
      this._say('warning', text, now, CommandIDs.dashboard);
    }
  }

  private _say(
    type: 'success' | 'warning' | 'error',
    message: string,
    { id }: IDeployment,
    command: string
  ): void {
    const label =
      command === CommandIDs.log ? this._trans.__('Show log') : this._trans.__('Open panel');
    Notification.emit(message, type, {
      autoClose: type === 'success' ? 6000 : false,
      actions: [{ label, callback: () => this._run(command, id) }]
    });
  }

  private _known: ReadonlyMap<string, IDeployment> | null = null;
}
