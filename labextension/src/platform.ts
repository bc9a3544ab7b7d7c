import { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { DisposableDelegate, IDisposable } from '@lumino/disposable';
import { Poll } from '@lumino/polling';
import { ISignal, Signal } from '@lumino/signaling';

import { Rates } from './rates';
import { AnswerError, ServerExtension } from './request';
import { IPlatform } from './tokens';
import { IModel, IModelFile, IOverview, IPreferences } from './values';

const LOOKED_AT_MS = 3000;
const LEFT_ALONE_MS = 15_000;
const UNSET: IPreferences = { platform: '', threshold: null, place: '', notify: true };

/** Asks the server extension, now and then; nothing is started before somebody wants to see it. */
class Platform implements IPlatform {
  constructor(private readonly _server: ServerExtension) {
    this._poll = new Poll({
      auto: false,
      factory: () => this._ask(),
      frequency: { interval: LEFT_ALONE_MS, backoff: true, max: 60_000 },
      name: 'picsellia-jupyter:overview',
      standby: 'when-hidden'
    });
  }

  overview: IOverview | null = null;
  error: AnswerError | null = null;
  preferences: IPreferences = UNSET;

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** Begin to ask, without connecting to anything. */
  start(): void {
    void this._poll.start();
  }

  prefer(preferences: IPreferences): void {
    const elsewhere = preferences.platform !== this.preferences.platform;
    this.preferences = preferences;
    if (elsewhere) {
      this.overview = null;
      this._said = '';
      void this._poll.refresh();
    }
    this._changed.emit();
  }

  async wake(): Promise<void> {
    this._awake = true;
    await this._poll.refresh();
    await this._poll.tick;
  }

  watch(): IDisposable {
    this._watchers += 1;
    this._pace();
    return new DisposableDelegate(() => {
      this._watchers -= 1;
      this._pace();
    });
  }

  perMinute(deploymentId: string): number | null {
    return this._rates.perMinute(deploymentId);
  }

  async registry(): Promise<readonly IModel[]> {
    return (await this._get<{ models: IModel[] }>('registry')).models;
  }

  async files(versionId: string): Promise<readonly IModelFile[]> {
    const path = `versions/${encodeURIComponent(versionId)}/files`;
    return (await this._get<{ files: IModelFile[] }>(path)).files;
  }

  async log(deploymentId: string): Promise<readonly string[]> {
    const path = `deployments/${encodeURIComponent(deploymentId)}/log`;
    return (await this._get<{ lines: string[] }>(path)).lines;
  }

  async stop(deploymentId: string): Promise<readonly string[]> {
    const path = `deployments/${encodeURIComponent(deploymentId)}/stop`;
    const init = { method: 'POST', body: '{}' };
    const said = await this._server.ask<{ notes: string[] }>(path, this._query(), init);
    void this._poll.refresh();
    return said.notes;
  }

  private async _ask(): Promise<void> {
    try {
      const overview = await this._get<IOverview>('overview', this._awake ? { wake: '1' } : {});
      this._take(overview);
    } catch (error) {
      if (!(error instanceof AnswerError)) {
        throw error;
      }
      this.error = error;
      this._said = '';
      this._changed.emit();
      throw error; // The poll asks less often then.
    }
  }

  private _take(overview: IOverview): void {
    this.error = null;
    this.overview = overview;
    this._awake = this._awake || overview.connected;
    const rates = overview.deployments.map(one => {
      this._rates.note(one.id, one.predictions, Date.now());
      return Math.round(this._rates.perMinute(one.id) ?? -1);
    });
    const said = JSON.stringify([overview, rates]);
    if (said !== this._said) {
      this._said = said;
      this._changed.emit();
    }
  }

  private _get<T>(path: string, query: Record<string, string> = {}): Promise<T> {
    return this._server.ask<T>(path, { ...this._query(), ...query });
  }

  private _query(): Record<string, string> {
    const { platform } = this.preferences;
    return platform ? { platform } : {};
  }

  private _pace(): void {
    const interval = this._watchers > 0 ? LOOKED_AT_MS : LEFT_ALONE_MS;
    this._poll.frequency = { ...this._poll.frequency, interval };
  }

  private _awake = false;
  private _said = '';
  private _watchers = 0;
  private readonly _poll: Poll<void, unknown, 'standby'>;
  private readonly _rates = new Rates();
  private readonly _changed = new Signal<this, void>(this);
}

/** Shares what is known of the platform, and the settings "Picsellia". */
export const platformPlugin: JupyterFrontEndPlugin<IPlatform> = {
  id: 'picsellia-jupyter:platform',
  description: 'Provides the Picsellia platform to the other plugins.',
  autoStart: true,
  provides: IPlatform,
  optional: [ISettingRegistry, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    registry: ISettingRegistry | null,
    translator: ITranslator | null
  ): IPlatform => {
    const trans = (translator ?? nullTranslator).load('picsellia_jupyter');
    const server = new ServerExtension(app.serviceManager.serverSettings, trans);
    const platform = new Platform(server);
    const preferred = registry ? follow(registry, platform) : Promise.resolve();
    void Promise.allSettled([preferred, app.restored]).then(() => platform.start());
    return platform;
  }
};

async function follow(registry: ISettingRegistry, platform: Platform): Promise<void> {
  const settings = await registry.load(platformPlugin.id);
  const prefer = (): void => {
    const { platform: host, threshold, place, notify } = settings.composite;
    platform.prefer({
      platform: typeof host === 'string' ? host.trim() : '',
      threshold: typeof threshold === 'number' ? threshold : null,
      place: typeof place === 'string' ? place.trim() : '',
      notify: notify !== false
    });
  };
  settings.changed.connect(prefer);
  prefer();
}
