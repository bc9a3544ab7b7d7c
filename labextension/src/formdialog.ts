import { Dialog } from '@jupyterlab/apputils';
import { Message } from '@lumino/messaging';
import { Widget } from '@lumino/widgets';

import { nameControls } from './naming';

const TABBABLE = 'a[href], button, input, select, textarea, summary, [tabindex]';

/** The form's controls appear some frames after its view. */
const CONTROLS_WITHIN_MS = 2000;

/**
 * A native dialog around a form that lives in the kernel: the form has its own buttons, keys and
 * ending. JupyterLab's own dialog would take Enter and the arrow keys for itself.
 */
export class FormDialog extends Dialog<unknown> {
  /**
   * @param leave called on Esc and ×; says whether the dialog may go at once.
   */
  constructor(
    title: string,
    private readonly _form: Widget,
    private readonly _leave: () => boolean
  ) {
    super({ title, body: _form, buttons: [], hasClose: true });
    this.addClass('jp-PicselliaDialog');
    this.node.setAttribute('aria-label', title);
    this._observer = new MutationObserver(() => nameControls(_form.node));
    this._observer.observe(_form.node, { childList: true, subtree: true });
  }

  override dispose(): void {
    this._observer.disconnect();
    super.dispose();
  }

  override reject(): void {
    if (this._leave()) {
      this.finish();
    }
  }

  /** Take the dialog away, whatever the form is doing. */
  finish(): void {
    super.reject();
  }

  override handleEvent(event: Event): void {
    const target = event.target as Node;
    switch (event.type) {
      case 'keydown':
        this._onKey(event as KeyboardEvent);
        return;
      case 'focus':
        // The cell that ran takes the focus back; without a footer there is nowhere to send it.
        if (this.isAttached && !this.node.contains(target)) {
          event.stopPropagation();
          void this.focusFirst();
        }
        return;
      case 'click':
        return; // One beside the dialog loses nothing, not even the focus.
      case 'mousedown':
        if (target === this.node) {
          event.preventDefault();
        }
        return;
      case 'contextmenu':
        if (this.node.contains(target)) {
          return;
        }
    }
    super.handleEvent(event);
  }

  /** Focus the first control of the form as soon as there is one. */
  async focusFirst(): Promise<void> {
    const deadline = Date.now() + CONTROLS_WITHIN_MS;
    while (!this.isDisposed && Date.now() < deadline) {
      const first = tabbables(this._form.node)[0];
      if (first) {
        nameControls(this._form.node);
        first.focus();
        return;
      }
      await new Promise(resolve => requestAnimationFrame(resolve));
    }
  }

  protected override onAfterAttach(message: Message): void {
    super.onAfterAttach(message);
    window.addEventListener('keydown', this._onStrayKey, true);
  }

  protected override onAfterDetach(message: Message): void {
    window.removeEventListener('keydown', this._onStrayKey, true);
    super.onAfterDetach(message);
  }

  /** Where nothing has the focus, as when a control that had it is hidden, keys are ours too. */
  private readonly _onStrayKey = (event: KeyboardEvent): void => {
    if (event.target === document.body) {
      this._onKey(event);
      event.stopPropagation(); // No shortcut of the notebook behind.
    }
  };

  private _onKey(event: KeyboardEvent): void {
    if (event.key === 'Escape') {
      event.stopPropagation();
      event.preventDefault();
      this.reject();
    } else if (event.key === 'Tab') {
      this._keepFocus(event);
    }
    // Every other key is the form's own, and no shortcut of the notebook behind.
  }

  private _keepFocus(event: KeyboardEvent): void {
    const all = tabbables(this.node);
    const [from, to] = event.shiftKey
      ? [all[0], all[all.length - 1]]
      : [all[all.length - 1], all[0]];
    event.stopPropagation();
    if ([from, document.body].includes(document.activeElement as HTMLElement)) {
      event.preventDefault();
      to?.focus();
    }
  }

  private readonly _observer: MutationObserver;
}

function tabbables(node: HTMLElement): HTMLElement[] {
  return Array.from(node.querySelectorAll<HTMLElement>(TABBABLE)).filter(
    one => one.tabIndex >= 0 && !one.matches(':disabled') && one.getClientRects().length > 0
  );
}
