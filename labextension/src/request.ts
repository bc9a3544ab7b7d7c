import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';
import { TranslationBundle } from '@jupyterlab/translation';

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

/** Our extension of the Jupyter server. */
export class ServerExtension {
  constructor(
    private readonly _settings: ServerConnection.ISettings,
    private readonly _trans: TranslationBundle
  ) {}

  /**
   * Ask it something.
   *
   * @throws AnswerError where it refuses, is not there, or the server cannot be reached.
   */
  async ask<T>(
    path: string,
    query: Record<string, string> = {},
    init: RequestInit = {}
  ): Promise<T> {
    const url = URLExt.join(this._settings.baseUrl, API, path) + URLExt.objectToQueryString(query);
    let response: Response;
    try {
      response = await ServerConnection.makeRequest(url, init, this._settings);
    } catch {
      const fact = this._trans.__('The Jupyter server does not answer.');
      throw new AnswerError(fact, this._trans.__('Is it still running?'));
    }
    const said = await parsed(response);
    if (response.ok && said) {
      return said as T;
    }
    throw this._refusal(response.status, said);
  }

  private _refusal(status: number, said: Record<string, unknown> | null): AnswerError {
    // Jupyter's own answers have no `error`: then our extension is not there.
    if (typeof said?.['error'] === 'string') {
      return new AnswerError(String(said['message']), String(said['detail'] ?? ''));
    }
    const trans = this._trans;
    return status === 404
      ? new AnswerError(
          trans.__('The Jupyter server runs without the extension of picsellia_jupyter.'),
          trans.__(
            'Run `jupyter server extension enable picsellia_jupyter.labserver` and restart it.'
          )
        )
      : new AnswerError(
          trans.__('The Jupyter server answered with status %1.', status),
          trans.__('See its log.')
        );
  }
}

async function parsed(response: Response): Promise<Record<string, unknown> | null> {
  try {
    return (await response.json()) as Record<string, unknown>;
  } catch {
    return null;
  }
}
