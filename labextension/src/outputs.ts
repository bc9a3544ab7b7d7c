import { NotebookPanel } from '@jupyterlab/notebook';
import { JSONObject } from '@lumino/coreutils';

/** What we need of the outputs of a code cell. */
export interface ICodeOutputs {
  readonly length: number;
  get(index: number): { readonly data: JSONObject; readonly metadata: JSONObject };
  set(index: number, output: JSONObject): void;
}

/** One output of a notebook. */
export interface IPlacedOutput {
  /** Index of its cell. */
  readonly cell: number;
  readonly outputs: ICodeOutputs;
  /** Among the outputs of its cell. */
  readonly index: number;
}

/** All outputs of a notebook, in order. */
export function* outputsOf(panel: NotebookPanel): Iterable<IPlacedOutput> {
  for (const [cell, { model }] of panel.content.widgets.entries()) {
    const { outputs } = model as unknown as { outputs?: ICodeOutputs };
    for (let index = 0; outputs && index < outputs.length; index++) {
      yield { cell, outputs, index };
    }
  }
}
