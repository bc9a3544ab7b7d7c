import { Clipboard, Notification } from '@jupyterlab/apputils';
import { NotebookPanel } from '@jupyterlab/notebook';
import { Kernel, KernelMessage } from '@jupyterlab/services';
import { JSONObject } from '@lumino/coreutils';
import { Panel } from '@lumino/widgets';

import { FormDialog } from './formdialog';
import { hasEnded } from './kernel';
import { insert } from './notebooks';
import { ICard, outputsOf, PlacedOutput, WIDGET_VIEW } from './outputs';

const DRAWN_WITHIN_MS = 3000;

/** What the kernel tells of a form; see `picsellia_jupyter/widgets`. */
export interface IFormMessage {
  readonly open?: boolean;
  readonly id?: string;
  readonly model_id?: string;
  readonly title?: string;
  readonly busy?: boolean;
  readonly insert?: string;
  readonly copy?: string;
  readonly notify?: { kind?: string; message?: string; detail?: string };
  readonly close?: boolean;
  readonly card?: ICard;
  readonly line?: string;
}

/** Whether a form deploys: it was asked to by a click, and the kernel says that it does. */
type Standing = 'idle' | 'asked' | 'busy';

/** One form of a kernel, shown in a dialog as long as both are there. */
export class Form {
  constructor(
    private readonly _panel: NotebookPanel,
    private readonly _kernel: Kernel.IKernelConnection,
    private readonly _comm: Kernel.IComm
  ) {
    _comm.onMsg = message => this._hear(formMessage(message));
    _comm.onClose = () => this._end();
  }

  /** Draw the form's view and show it; a view that cannot be drawn sends the form elsewhere. */
  async show(form: IFormMessage): Promise<void> {
    if (this._dialog || !form.model_id) {
      return;
    }
    this._id = form.id ?? '';
    const body = new Panel();
    body.addClass('jp-PicselliaDialog-form');
    body.node.addEventListener('click', event => this._onClick(event.target as Element), true);
    if (!(await this._draw(body, form.model_id)) || this._comm.isDisposed) {
      body.dispose();
      this._close();
      return;
    }
    this._hasCell = outputIn(this._panel, this._id) !== null;
    this._dialog = new FormDialog(form.title ?? '', body, () => this._leave());
    const done = this._dialog.launch();
    this._kernel.statusChanged.connect(this._onStatus, this);
    this._panel.disposed.connect(this._end, this);
    this._send({ ready: true });
    await this._dialog.ready;
    await this._dialog.focusFirst();
    await done.catch(() => undefined);
  }

  private async _draw(body: Panel, modelId: string): Promise<boolean> {
    const { rendermime } = this._panel.content;
    try {
      const renderer = rendermime.createRenderer(WIDGET_VIEW);
      const data = { [WIDGET_VIEW]: { model_id: modelId, version_major: 2, version_minor: 0 } };
      const drawn = renderer.renderModel(rendermime.createModel({ trusted: true, data }));
      // Without a widget manager that knows this kernel it would wait for ever.
      const late = new Promise<'late'>(resolve => {
        window.setTimeout(() => resolve('late'), DRAWN_WITHIN_MS);
      });
      body.addWidget(renderer);
      return (await Promise.race([drawn, late])) !== 'late';
    } catch {
      return false; // The page has no widgets at all.
    }
  }

  private _hear(form: IFormMessage): void {
    if (form.open) {
      void this.show(form);
    }
    if (form.busy !== undefined) {
      this._stand(form.busy ? 'busy' : 'idle');
    }
    if (form.insert) {
      insert(this._panel, form.insert, false, null, this._ownCell());
    }
    if (form.copy) {
      copy(form.copy);
    }
    if (form.notify?.message) {
      notify(form.notify.message, form.notify.detail ?? '', form.notify.kind);
    }
    if (form.close) {
      this._keep(form);
      this._end();
    }
  }

  /** The kernel hears of a click on Deploy later than whoever presses Esc right after it. */
  private _onClick(target: Element): void {
    if (target.closest('button.jp-mod-accept:enabled')) {
      this._stand('asked');
    }
  }

  private _stand(standing: Standing): void {
    this._standing = standing;
    this._asksToStop = false;
    this._dialog?.node.setAttribute('aria-busy', String(standing !== 'idle'));
  }

  /** Esc and ×: whether the dialog may go. */
  private _leave(): boolean {
    // A kernel that is kept by a cell does not even say that it has begun.
    const isDeaf = this._standing === 'asked' && this._asksToStop;
    if (this._standing !== 'idle' && !isDeaf) {
      this._asksToStop = true;
      this._send({ cancel: true });
      return false;
    }
    this._send({ cancelled: true });
    return true;
  }

  /** Give the card of a form that is done its place in the notebook. */
  private _keep(form: IFormMessage): void {
    if (!this._panel.isDisposed && form.card) {
      const replaced = replaceOutput(this._panel, form.id ?? this._id, form.card);
      if (!replaced && !this._hasCell && form.line) {
        insert(this._panel, form.line, true, form.card);
      }
    }
  }

  private _ownCell(): number {
    return outputIn(this._panel, this._id)?.cell ?? this._panel.content.activeCellIndex;
  }

  private _onStatus(): void {
    if (hasEnded(this._kernel)) {
      this._end();
    }
  }

  private _end(): void {
    this._kernel.statusChanged.disconnect(this._onStatus, this);
    this._dialog?.finish();
  }

  private _send(data: JSONObject): void {
    if (!this._comm.isDisposed && !hasEnded(this._kernel)) {
      this._comm.send(data);
    }
  }

  private _close(): void {
    if (!this._comm.isDisposed) {
      this._comm.close();
    }
  }

  private _id = '';
  private _standing: Standing = 'idle';
  private _asksToStop = false;
  /** Whether a cell opened it; the kernel writes the card there, too. */
  private _hasCell = false;
  private _dialog: FormDialog | null = null;
}

/** The data of a message on a form's comm. */
export function formMessage(
  message: KernelMessage.ICommMsgMsg | KernelMessage.ICommOpenMsg
): IFormMessage {
  return message.content.data as unknown as IFormMessage;
}

function replaceOutput(panel: NotebookPanel, id: string, card: ICard): boolean {
  const found = outputIn(panel, id);
  found?.replace(card);
  return found !== null;
}

/** Where a notebook has the output of a form, by the id in its metadata. */
function outputIn(panel: NotebookPanel, id: string): PlacedOutput | null {
  for (const output of id ? outputsOf(panel) : []) {
    if (output.owner === id) {
      return output;
    }
  }
  return null;
}

function copy(text: string): void {
  // A page that is not served securely has no clipboard of the modern kind.
  if (navigator.clipboard) {
    navigator.clipboard.writeText(text).catch(() => Clipboard.copyToSystem(text));
  } else {
    Clipboard.copyToSystem(text);
  }
}

function notify(message: string, detail: string, kind = 'info'): void {
  const known = ['success', 'error', 'warning', 'info'] as const;
  const type = known.find(one => one === kind) ?? 'info';
  Notification.emit(detail ? `${message} ${detail}` : message, type, {
    autoClose: type === 'error' ? false : 6000
  });
}
