import { TranslationBundle } from '@jupyterlab/translation';

import { IDeployment, ITraining } from './values';

/** The state of a deployment in the user's language; one that we do not know, as it is. */
export function stateInWords(state: string, trans: TranslationBundle): string {
  const known: Record<string, string> = {
    starting: trans.__('starting'),
    loading: trans.__('loading'),
    warming: trans.__('warming'),
    ready: trans.__('ready'),
    paused: trans.__('paused'),
    degraded: trans.__('degraded'),
    unhealthy: trans.__('unhealthy'),
    stopped: trans.__('stopped'),
    hosted: trans.__('hosted'),
    'not served': trans.__('not served')
  };
  return known[state] ?? state;
}

/** Whether a serving kernel of ours was ever started for it, which writes a log. */
export function hasLog({ place }: IDeployment): boolean {
  return place !== '';
}

/** Whether a training run waits or goes on. */
export function isUnderWay(training: ITraining | null): training is ITraining {
  return training !== null && ['waiting', 'running'].includes(training.state);
}

/** How far a training run is, in a few words. */
export function progressInWords(training: ITraining, trans: TranslationBundle): string {
  return training.state === 'waiting'
    ? trans.__('training waits')
    : trans.__('training %1 %', Math.floor(training.progress * 100));
}

/** What a training run is at, and where. */
export function stepInWords({ step, place }: ITraining, trans: TranslationBundle): string {
  const said = step || trans.__('training');
  return place ? trans.__('%1 on %2', said, place) : said;
}
