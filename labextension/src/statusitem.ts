import { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { IStatusBar } from '@jupyterlab/statusbar';
import { ITranslator, nullTranslator, TranslationBundle } from '@jupyterlab/translation';
import { Signal } from '@lumino/signaling';
import { Widget } from '@lumino/widgets';

import { CommandIDs } from './commandids';
import { append, appendIcon } from './drawing';
import { picselliaIcon } from './icons';
import { isUnderWay } from './states';
import { IPlatform } from './tokens';
import { IOverview } from './values';

/** A button that says which platform there is and what runs on it, and shows the sidebar. */
class StatusItem extends Widget {
  constructor(
    private readonly _platform: IPlatform,
    private readonly _trans: TranslationBundle,
    show: () => void
  ) {
    super({ node: document.createElement('button') });
    this.addClass('jp-PicselliaStatus');
    this.node.setAttribute('type', 'button');
    this.node.onclick = show;
    appendIcon(this.node, picselliaIcon);
    this._text = append(this.node, 'text');
    _platform.changed.connect(this._show, this);
    this._show();
  }

  override dispose(): void {
    Signal.clearData(this);
    super.dispose();
  }

  private _show(): void {
    const { overview, error } = this._platform;
    this._text.textContent = error
      ? this._trans.__('Picsellia: no answer')
      : words(overview, this._trans);
    this.node.title = error ? error.message : caption(overview, this._trans);
    this.toggleClass('jp-mod-alerts', fires(overview));
  }

  private readonly _text: HTMLElement;
}

/** Tells the platform, running deployments and what is left of the MPU in the status bar. */
export const statusPlugin: JupyterFrontEndPlugin<void> = {
  id: 'picsellia-jupyter:status',
  description: 'Adds the platform and its running deployments to the status bar.',
  autoStart: true,
  requires: [IPlatform],
  optional: [IStatusBar, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    platform: IPlatform,
    statusBar: IStatusBar | null,
    translator: ITranslator | null
  ): void => {
    const trans = (translator ?? nullTranslator).load('picsellia_jupyter');
    statusBar?.registerStatusItem('picsellia-jupyter:status', {
      item: new StatusItem(platform, trans, () => void app.commands.execute(CommandIDs.show)),
      align: 'left',
      rank: 10
    });
  }
};

function words(overview: IOverview | null, trans: TranslationBundle): string {
  if (!overview?.platform) {
    return trans.__('Picsellia');
  }
  const { platform, mpu, deployments } = overview;
  const running = deployments.filter(one => one.running).length;
  const training = deployments.filter(one => isUnderWay(one.training)).length;
  return [
    platform.kind === 'local' ? trans.__('Local platform') : platform.organization,
    ...(running ? [trans.__('%1 running', running)] : []),
    ...(training ? [trans.__('%1 training', training)] : []),
    ...(mpu && mpu.quota !== null ? [trans.__('%1 MPU left', left(mpu.used, mpu.quota))] : [])
  ].join(' · ');
}

function fires(overview: IOverview | null): boolean {
  return overview?.deployments.some(one => one.alerts?.some(({ over }) => !over)) ?? false;
}

function left(used: number, quota: number): string {
  return Math.max(0, quota - used).toLocaleString(undefined, { maximumFractionDigits: 1 });
}

function caption(overview: IOverview | null, trans: TranslationBundle): string {
  return overview?.platform
    ? trans.__('%1 at %2', overview.platform.organization, overview.platform.host)
    : trans.__('Show the registry and the deployments');
}
