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

/** An alert's condition is met, or was until a moment ago. */
export interface IFiring {
  /** The same as long as it goes on. */
  readonly id: string;
  readonly name: string;
  /** What met it first. */
  readonly value: number;
  readonly over: boolean;
}

export interface ITraining {
  readonly id: string;
  /** `waiting`, `running`, `success`, `failed` or `canceled`. */
  readonly state: string;
  /** In [0, 1]. */
  readonly progress: number;
  /** What it is at. */
  readonly step: string;
  /** Where it is done; empty beside the platform. */
  readonly place: string;
  /** The model version that came of it. */
  readonly version: string;
  readonly error: string;
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
  /** Alerts that fire or did a moment ago; null where nobody tells. */
  readonly alerts: readonly IFiring[] | null;
  /** The newest training run, where it is under way or ended a moment ago. */
  readonly training: ITraining | null;
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
