import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';

/** Below the server's base address, which may have a prefix of JupyterHub. */
const API = 'picsellia/api';

/** A question that was not answered: what is the matter, and what to do about it. */
export class AnswerError extends Error {
  constructor(
    readonly fact: string,
    readonly remedy: string
  ) {
    super(remedy ? `${fact} ${remedy}` : fact);
  }
}

/**
 * Ask our extension of the Jupyter server.
 *
 * @throws AnswerError where it refuses, is not there, or the server cannot be reached.
 */
export async function ask<T>(
  settings: ServerConnection.ISettings,
  path: string,
  query: Record<string, string> = {},
  init: RequestInit = {}
): Promise<T> {
  const url = URLExt.join(settings.baseUrl, API, path) + URLExt.objectToQueryString(query);
  let response: Response;
  try {
    response = await ServerConnection.makeRequest(url, init, settings);
  } catch {
    throw new AnswerError('The Jupyter server does not answer.', 'Is it still running?');
  }
  const said = await parsed(response);
  if (response.ok && said) {
    return said as T;
  }
  throw refusal(response.status, said);
}

async function parsed(response: Response): Promise<Record<string, unknown> | null> {
  try {
    return (await response.json()) as Record<string, unknown>;
  } catch {
    return null;
  }
}

function refusal(status: number, said: Record<string, unknown> | null): AnswerError {
  // Jupyter's own answers have no `error`: then our extension is not there.
  if (typeof said?.['error'] === 'string') {
    return new AnswerError(String(said['message']), String(said['detail'] ?? ''));
  }
  return status === 404
    ? new AnswerError(
        'The Jupyter server runs without the extension of picsellia_jupyter.',
        'Run `jupyter server extension enable picsellia_jupyter.labserver` and restart it.'
      )
    : new AnswerError(`The Jupyter server answered with status ${status}.`, 'See its log.');
}
