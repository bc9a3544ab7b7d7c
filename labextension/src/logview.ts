import { TranslationBundle } from '@jupyterlab/translation';
import { Poll } from '@lumino/polling';
import { Widget } from '@lumino/widgets';

import { logIcon } from './icons';
import { AnswerError } from './request';
import { IPlatform } from './tokens';
import { IDeployment } from './values';

const INTERVAL_MS = 2000;

/** The last lines of a deployment's serving kernel, followed while they are in sight. */
export class LogView extends Widget {
  constructor(
    private readonly _platform: IPlatform,
    private readonly _deployment: IDeployment,
    private readonly _trans: TranslationBundle
  ) {
    super();
    this.id = LogView.idOf(_deployment);
    this.addClass('jp-PicselliaLog');
    this.title.label = _trans.__('Log of %1', _deployment.name);
    this.title.icon = logIcon;
    this.title.closable = true;
    this._text = this.node.appendChild(document.createElement('pre'));
    this._text.tabIndex = 0;
    this._text.setAttribute('role', 'log');
    this._text.setAttribute('aria-label', this.title.label);
    this._poll = new Poll({
      factory: () => this._read(),
      frequency: { interval: INTERVAL_MS, backoff: true, max: 30_000 },
      name: this.id,
      standby: () => !this.isVisible
    });
  }

  static idOf(deployment: IDeployment): string {
    return `picsellia-log-${deployment.id}`;
  }

  override dispose(): void {
    this._poll.dispose();
    super.dispose();
  }

  private async _read(): Promise<void> {
    const { scrollTop, scrollHeight, clientHeight } = this.node;
    const atEnd = scrollTop + clientHeight >= scrollHeight - 4;
    let text: string;
    try {
      const lines = await this._platform.log(this._deployment.id);
      text = lines.join('\n') || this._trans.__('Nothing was written yet.');
    } catch (error) {
      text = error instanceof AnswerError ? error.message : String(error);
    }
    if (!this.isDisposed && text !== this._text.textContent) {
      this._text.textContent = text;
      if (atEnd) {
        this.node.scrollTop = this.node.scrollHeight;
      }
    }
  }

  private readonly _text: HTMLElement;
  private readonly _poll: Poll;
}
