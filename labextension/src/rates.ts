/** Predictions are counted over so long. */
const SPAN_MS = 60_000;

/** How fast deployments predict, from the counts that are told every few seconds. */
export class Rates {
  private readonly _counts = new Map<string, { at: number; count: number }[]>();

  /** Note a count of predictions. */
  note(id: string, count: number, at: number): void {
    const counts = this._counts.get(id) ?? [];
    counts.push({ at, count });
    while (counts.length > 2 && counts[1] && counts[1].at <= at - SPAN_MS) {
      counts.shift();
    }
    this._counts.set(id, counts);
  }

  /** Predictions a minute; null before there are two counts some seconds apart. */
  perMinute(id: string): number | null {
    const counts = this._counts.get(id) ?? [];
    const first = counts[0];
    const last = counts[counts.length - 1];
    if (!first || !last || last.at - first.at < 2000) {
      return null;
    }
    return ((last.count - first.count) * 60_000) / (last.at - first.at);
  }
}
