import { stopIcon } from '@jupyterlab/ui-components';
import { TranslationBundle } from '@jupyterlab/translation';

import { append, appendAction } from './drawing';
import { dashboardIcon, logIcon } from './icons';
import { IRows } from './rowlist';
import { hasLog, isUnderWay, progressInWords, stateInWords, stepInWords } from './states';
import { IDeployment, IFiring } from './values';

/** A deployment and how fast it predicts lately; null where that is not known. */
export interface IDeploymentItem {
  readonly deployment: IDeployment;
  readonly perMinute: number | null;
}

/** Draws deployments: a line with the name and the state, and one with what is served where. */
export class DeploymentRows implements IRows<IDeploymentItem> {
  constructor(private readonly _trans: TranslationBundle) {}

  readonly role = 'listbox';
  readonly rowHeight = 46;

  key({ deployment }: IDeploymentItem): string {
    return deployment.id;
  }

  draw({ deployment, perMinute }: IDeploymentItem, row: HTMLElement): void {
    const { name, state, reason, alerts, training } = deployment;
    row.dataset['kind'] = 'deployment';
    const dot = append(row, 'dot');
    dot.dataset['state'] = state;
    dot.setAttribute('aria-hidden', 'true');
    const lines = append(row, 'lines');
    const first = append(lines, 'line');
    append(first, 'name', name).title = name;
    const said = stateInWords(state, this._trans);
    append(first, 'state', said).title = reason ? `${said}: ${reason}` : said;
    this._drawAlerts(first, alerts?.filter(one => !one.over) ?? []);
    const second = append(lines, 'line');
    const detail = this._detail(deployment, perMinute);
    append(second, 'detail', detail).title = detail;
    if (isUnderWay(training)) {
      const chip = append(second, 'training', progressInWords(training, this._trans));
      chip.title = stepInWords(training, this._trans);
    }
    const actions = append(row, 'actions');
    const { __ } = { __: this._trans.__.bind(this._trans) };
    appendAction(actions, 'dashboard', __('Open panel of %1', name), dashboardIcon);
    if (hasLog(deployment)) {
      appendAction(actions, 'log', __('Log of %1', name), logIcon);
    }
    if (deployment.running) {
      appendAction(actions, 'stop', __('Stop %1', name), stopIcon);
    }
  }

  private _drawAlerts(line: HTMLElement, firing: readonly IFiring[]): void {
    if (firing.length > 0) {
      const badge = append(line, 'badge', this._trans._n('%1 alert', '%1 alerts', firing.length));
      badge.title = firing.map(one => one.name).join('\n');
    }
  }

  private _detail({ model, place, predictions }: IDeployment, perMinute: number | null): string {
    const total = this._trans._n('%1 prediction', '%1 predictions', predictions);
    const fast = perMinute !== null && perMinute >= 0.5;
    const rate = fast ? this._trans.__('%1/min', Math.round(perMinute).toLocaleString()) : total;
    return [model, place, rate].filter(Boolean).join(' · ');
  }
}
