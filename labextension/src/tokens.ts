import { Token } from '@lumino/coreutils';
import { IDisposable } from '@lumino/disposable';
import { ISignal } from '@lumino/signaling';

import { AnswerError } from './request';
import { IModel, IModelFile, IOverview, IPreferences } from './values';

/** The platform as this page knows it; what all our plugins share. */
export interface IPlatform {
  /** What was told last; null before the first answer. */
  readonly overview: IOverview | null;
  /** Why the last question was not answered. */
  readonly error: AnswerError | null;
  readonly preferences: IPreferences;
  /** Emitted when the overview, the error or the preferences have changed. */
  readonly changed: ISignal<IPlatform, void>;

  /** Connect, where that was not done yet, and ask how it is now. */
  wake(): Promise<void>;
  /** Ask often while somebody looks; until disposed. */
  watch(): IDisposable;
  /** Predictions a minute of a deployment, lately; null where it is not known yet. */
  perMinute(deploymentId: string): number | null;
  registry(): Promise<readonly IModel[]>;
  files(versionId: string): Promise<readonly IModelFile[]>;
  log(deploymentId: string): Promise<readonly string[]>;
  /** End the serving kernel of a deployment; tells what could not be recorded. */
  stop(deploymentId: string): Promise<readonly string[]>;
}

export const IPlatform = new Token<IPlatform>(
  'picsellia-jupyter:IPlatform',
  'The Picsellia platform: its registry and its deployments.'
);
