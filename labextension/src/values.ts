/** What the server extension tells, as `picsellia_jupyter/labserver/answers.py` spells it. */

export interface IModelVersion {
  readonly id: string;
  /** As one would type it: `digits-detector:0`. */
  readonly title: string;
  readonly name: string;
  readonly version: number;
  /** In words: `object detection`. */
  readonly type: string;
  readonly framework: string;
  /** How many labels it knows. */
  readonly labels: number;
}

export interface IModel {
  readonly id: string;
  readonly name: string;
  /** Newest first. */
  readonly versions: readonly IModelVersion[];
}

export interface IModelFile {
  readonly name: string;
  readonly filename: string;
}

export interface IDeployment {
  readonly id: string;
  readonly name: string;
  readonly model: string;
  readonly strategy: string;
  readonly state: string;
  readonly running: boolean;
  /** Why it is in its state, where that is not plain. */
  readonly reason: string;
  /** Where it is served; empty where it is not. */
  readonly place: string;
  readonly predictions: number;
  /** How many alerts have fired; null where nobody counts. */
  readonly alerts: number | null;
  readonly url: string | null;
}

export interface IOverview {
  readonly connected: boolean;
  readonly platform: {
    readonly kind: 'local' | 'cloud';
    readonly host: string;
    readonly organization: string;
    readonly user: string;
  } | null;
  readonly mpu: { readonly used: number; readonly quota: number | null } | null;
  /** Newest first. */
  readonly deployments: readonly IDeployment[];
}

/** What the user set in "Picsellia". */
export interface IPreferences {
  /** Address of the platform; empty for that of the server's environment. */
  readonly platform: string;
  readonly threshold: number | null;
  readonly place: string;
  readonly notify: boolean;
}
