import { TranslationBundle } from '@jupyterlab/translation';
import { ISignal, Signal } from '@lumino/signaling';
import { Panel } from '@lumino/widgets';

import { DeploymentRows, IDeploymentItem } from './deploymentrows';
import { Message } from './message';
import { IAsked, RowList } from './rowlist';
import { IPlatform } from './tokens';
import { IDeployment } from './values';

/** What is asked of a deployment: the names of the commands, and of the keys. */
const KEYS: Record<string, string> = { Enter: 'dashboard', dblclick: 'dashboard' };

/** All deployments with their states, kept up to date. */
export class DeploymentsPanel extends Panel {
  constructor(
    private readonly _platform: IPlatform,
    private readonly _trans: TranslationBundle
  ) {
    super();
    this.addClass('jp-PicselliaDeployments');
    this.title.label = _trans.__('Deployments');
    this._list = new RowList(new DeploymentRows(_trans), _trans.__('Deployments'));
    this._list.id = 'picsellia-deployments';
    const retry = { label: _trans.__('Try again'), run: () => void _platform.wake() };
    this._message = new Message(retry);
    this.addWidget(this._message);
    this.addWidget(this._list);
    this._list.asked.connect(this._onAsked, this);
    _platform.changed.connect(this._show, this);
    this._show();
  }

  /** Emitted when the dashboard, the log or the end of a deployment is asked for. */
  get asked(): ISignal<this, { deployment: IDeployment; action: string }> {
    return this._asked;
  }

  get selected(): IDeployment | null {
    return this._list.selected?.deployment ?? null;
  }

  override dispose(): void {
    Signal.clearData(this);
    super.dispose();
  }

  private _show(): void {
    const { overview, error } = this._platform;
    this._list.items = (overview?.deployments ?? []).map(deployment => ({
      deployment,
      perMinute: this._platform.perMinute(deployment.id)
    }));
    if (error) {
      this._message.complain(error);
    } else if (!overview?.connected) {
      this._message.say(this._trans.__('Connecting…'));
    } else if (overview.deployments.length === 0) {
      const remedy = this._trans.__('Choose a model version above and click Deploy.');
      this._message.say(this._trans.__('Nothing is deployed yet.'), remedy);
    } else {
      this._message.say('');
    }
  }

  private _onAsked(_: unknown, { item, action }: IAsked<IDeploymentItem>): void {
    const wanted = KEYS[action] ?? action;
    if (['dashboard', 'log', 'stop'].includes(wanted)) {
      this._asked.emit({ deployment: item.deployment, action: wanted });
    }
  }

  private readonly _list: RowList<IDeploymentItem>;
  private readonly _message: Message;
  private readonly _asked = new Signal<this, { deployment: IDeployment; action: string }>(this);
}
