import { Kernel, KernelMessage } from '@jupyterlab/services';
import { TranslationBundle } from '@jupyterlab/translation';

import { AnswerError } from './request';

const LOADED = "'picsellia_jupyter' in get_ipython().extension_manager.loaded";
const ANSWER_WITHIN_MS = 500;
/** So long a kernel is given before the user is told why nothing happens. */
const BEGIN_WITHIN_MS = 700;

/** What JupyterLab has from 4.4 on; we are built with the types of 4.2. */
interface ISubshells {
  readonly supportsSubshells?: boolean;
  subshellId?: string | null;
  requestCreateSubshell?(content: object): { done: Promise<{ content: { subshell_id: string } }> };
}

/**
 * Ask a kernel whether `%load_ext picsellia_jupyter` was run in it.
 *
 * A busy kernel would answer after its current cell only, so it is not asked; and as JupyterLab's
 * idea of busy can be wrong (4.2 shows idle between two queued cells), a late answer is not waited
 * for. Every doubt counts as "no": loading twice is harmless, not loading is an error.
 */
export async function isExtensionLoaded(
  kernel: Kernel.IKernelConnection | null | undefined
): Promise<boolean> {
  if (kernel?.connectionStatus !== 'connected' || kernel.status !== 'idle') {
    return false;
  }
  const future = kernel.requestExecute({
    code: '',
    silent: true,
    store_history: false,
    user_expressions: { loaded: LOADED }
  });
  try {
    const reply = await Promise.race([future.done, delay(ANSWER_WITHIN_MS)]);
    return reply !== null && isTrue(reply.content);
  } catch {
    return false; // The kernel was restarted or shut down before it answered.
  } finally {
    future.dispose();
  }
}

const LOADS = /^\s*%(re)?load_ext\s+picsellia_jupyter\b/m;

/**
 * Have a kernel get ready for the form where a cell's source loads our magics: what that imports
 * takes a second, and is done while the kernel is idle.
 */
export async function warmUp(kernel: Kernel.IKernelConnection, source: string): Promise<void> {
  if (LOADS.test(source)) {
    const code = 'from picsellia_jupyter.magics import warm_up; warm_up()';
    await kernel.requestExecute({ code, silent: true, store_history: false }).done;
  }
}

/** Runs code in kernels that leaves no trace in their notebooks. */
export class SilentRuns {
  constructor(private readonly _trans: TranslationBundle) {}

  /**
   * Run code, beside the running cell where the kernel can, else after it.
   *
   * Whether it waits is seen by the kernel not taking it up: JupyterLab may show a busy one as idle.
   *
   * @param onWaiting - called once where it has to wait for the cells before it.
   * @throws AnswerError where it fails.
   */
  async run(kernel: Kernel.IKernelConnection, code: string, onWaiting: () => void): Promise<void> {
    const beside = kernel.status === 'busy' && (kernel as ISubshells).supportsSubshells === true;
    const connection = beside ? await this._subshell(kernel) : kernel;
    const future = connection.requestExecute({ code, silent: true, store_history: false });
    const timer = window.setTimeout(() => {
      if (!beside && RUNS.includes(kernel.status)) {
        onWaiting();
      }
    }, BEGIN_WITHIN_MS);
    future.onIOPub = () => window.clearTimeout(timer); // "busy" is the first that it says
    try {
      const { content } = await future.done;
      if (content.status === 'error') {
        throw failure(content, this._trans);
      }
    } finally {
      window.clearTimeout(timer);
    }
  }

  /** One subshell a kernel; what was opened through it is answered by it, so it stays. */
  private _subshell(kernel: Kernel.IKernelConnection): Promise<Kernel.IKernelConnection> {
    const known = this._subshells.get(kernel);
    if (known) {
      return known;
    }
    const made = connectBeside(kernel);
    this._subshells.set(kernel, made);
    const forget = (): void => {
      if (hasEnded(kernel)) {
        kernel.statusChanged.disconnect(forget);
        this._subshells.delete(kernel);
      }
    };
    kernel.statusChanged.connect(forget);
    return made;
  }

  private readonly _subshells = new WeakMap<
    Kernel.IKernelConnection,
    Promise<Kernel.IKernelConnection>
  >();
}

/** Where a kernel has started, and takes up what it is asked. */
const RUNS: readonly string[] = ['idle', 'busy'];

/** Where a kernel has forgotten all that it was told. */
export const HAS_ENDED: readonly string[] = ['restarting', 'autorestarting', 'dead', 'terminating'];

/** Whether a kernel has forgotten all that it was told. */
export function hasEnded(kernel: Kernel.IKernelConnection): boolean {
  return kernel.isDisposed || HAS_ENDED.includes(kernel.status);
}

async function connectBeside(kernel: Kernel.IKernelConnection): Promise<Kernel.IKernelConnection> {
  const reply = await (kernel as ISubshells).requestCreateSubshell?.({}).done;
  const connection = kernel.clone();
  (connection as ISubshells).subshellId = reply?.content.subshell_id ?? null;
  return connection;
}

function failure(
  { ename, evalue }: KernelMessage.IReplyErrorContent,
  trans: TranslationBundle
): AnswerError {
  return ename === 'ModuleNotFoundError' && evalue.includes('picsellia_jupyter')
    ? new AnswerError(
        trans.__('The environment of this kernel lacks picsellia_jupyter.'),
        trans.__('Run %pip install picsellia_jupyter in a cell.')
      )
    : new AnswerError(`${ename}: ${evalue}`, '');
}

function delay(milliseconds: number): Promise<null> {
  return new Promise(resolve => window.setTimeout(() => resolve(null), milliseconds));
}

function isTrue(reply: KernelMessage.IExecuteReplyMsg['content']): boolean {
  if (reply.status !== 'ok') {
    return false;
  }
  const loaded = reply.user_expressions.loaded as { data?: { 'text/plain'?: string } } | undefined;
  return loaded?.data?.['text/plain'] === 'True';
}
