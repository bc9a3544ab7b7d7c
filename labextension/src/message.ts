import { Widget } from '@lumino/widgets';

import { append } from './drawing';
import { AnswerError } from './request';

/** What stands where a list would: that it is loading, empty, or why it cannot be had. */
export class Message extends Widget {
  constructor(private readonly _retry: { label: string; run: () => void }) {
    super();
    this.addClass('jp-Picsellia-message');
    this.node.setAttribute('role', 'status');
    this.hide();
  }

  /** Say something; nothing hides it. */
  say(text: string, remedy = ''): void {
    this.node.replaceChildren();
    this.setHidden(!text);
    if (text) {
      append(this.node, 'fact', text);
      append(this.node, 'remedy', remedy);
    }
  }

  /** Say what went wrong, with a button that tries again. */
  complain(error: AnswerError): void {
    this.say(error.fact, error.remedy);
    const button = this.node.appendChild(document.createElement('button'));
    button.className = 'jp-mod-styled jp-Picsellia-retry';
    button.textContent = this._retry.label;
    button.onclick = () => this._retry.run();
  }
}
