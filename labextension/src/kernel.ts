import { Kernel, KernelMessage } from '@jupyterlab/services';

const LOADED = "'picsellia_jupyter' in get_ipython().extension_manager.loaded";
const ANSWER_WITHIN_MS = 500;

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
