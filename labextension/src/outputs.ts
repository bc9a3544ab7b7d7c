import { NotebookPanel } from '@jupyterlab/notebook';
import { JSONObject } from '@lumino/coreutils';

/** A live view of a kernel's widget. */
export const WIDGET_VIEW = 'application/vnd.jupyter.widget-view+json';

/** An output's data as it is saved: text by MIME type. */
export interface ICard {
  readonly [mime: string]: string;
}

/** What we need of the outputs of a code cell. */
interface ICodeOutputs {
  readonly length: number;
  get(index: number): { readonly data: JSONObject; readonly metadata: JSONObject };
  set(index: number, output: JSONObject): void;
}

/** One output of a notebook, where it stands. */
export class PlacedOutput {
  /**
   * @param cell index of its cell.
   * @param _outputs of its cell.
   * @param _index its own among these.
   */
  constructor(
    readonly cell: number,
    private readonly _outputs: ICodeOutputs,
    private readonly _index: number
  ) {}

  get data(): JSONObject {
    return this._outputs.get(this._index).data;
  }

  /** The form or panel of ours that it belongs to; null where it belongs to none. */
  get owner(): string | null {
    const { metadata } = this._outputs.get(this._index);
    const ours = metadata['picsellia'] as { id?: string } | undefined;
    return ours ? (ours.id ?? '') : null;
  }

  /** Put a card in its place. */
  replace(card: ICard, keepOwner = false): void {
    const { metadata } = this._outputs.get(this._index);
    this._outputs.set(this._index, {
      output_type: 'display_data',
      data: { ...card },
      metadata: keepOwner ? { ...metadata } : {}
    });
  }
}

/** All outputs of a notebook, in order. */
export function* outputsOf(panel: NotebookPanel): Iterable<PlacedOutput> {
  for (const [cell, { model }] of panel.content.widgets.entries()) {
    const { outputs } = model as unknown as { outputs?: ICodeOutputs };
    for (let index = 0; outputs && index < outputs.length; index++) {
      yield new PlacedOutput(cell, outputs, index);
    }
  }
}
