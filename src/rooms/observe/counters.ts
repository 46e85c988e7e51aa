// Counters of an object's activity since its wake. They only grow, so a snapshot that is reported twice counts once.
// Reporting them to the hub's index is done by activity-reports.ts.

import type { CounterSnapshot } from "../rpc/activity-report.ts";

/** The counters of an object while they run. */
export interface Counters extends Omit<
  { -readonly [K in keyof CounterSnapshot]: number },
  "refusals"
> {
  readonly refusals: Map<string, number>;
}

export const ZERO_COUNTERS: CounterSnapshot = {
  ...{ in: 0, out: 0, bytesIn: 0, bytesOut: 0, replays: 0, replayed: 0, wakes: 0 },
  refusals: {},
};

export const newCounters = (): Counters => ({ ...ZERO_COUNTERS, wakes: 1, refusals: new Map() });

/** Refusal codes counted by name. Hubs invent codes, and each is a series of its own in Prometheus. */
const CODES_AT_MOST = 40;
const CODE = /^[a-z][a-z0-9_]{0,63}$/;

/** A code that is malformed, or beyond the number of codes, counts as `other`. */
export function countRefusal({ refusals }: Counters, code: string): void {
  const isCounted = refusals.has(code) || (CODE.test(code) && refusals.size < CODES_AT_MOST);
  const name = isCounted ? code : "other";
  refusals.set(name, (refusals.get(name) ?? 0) + 1);
}

/** Counts a replay that a client asked for. One that could not be complete counts as a refusal, `history_gone`. */
export function countReplay(counters: Counters, recovered: boolean, messages: number): void {
  if (!recovered) return countRefusal(counters, "history_gone");
  counters.replays++;
  counters.replayed += messages;
}

export const snapshotOf = ({ refusals, ...figures }: Counters): CounterSnapshot => ({
  ...figures,
  refusals: Object.fromEntries(refusals),
});

type CounterName = Exclude<keyof CounterSnapshot, "refusals">;
/** All counters but the refusals, in the order of Analytics Engine's doubles (analytics.ts). */
export const COUNTER_NAMES: readonly CounterName[] = [
  ...(["in", "out", "bytesIn", "bytesOut", "replays", "replayed", "wakes"] as const),
];

export const sum = (a: CounterSnapshot, b: CounterSnapshot): CounterSnapshot =>
  combine(a, b, (x, y) => x + y);

/** The increase from one snapshot to a later one; never negative, so that totals only grow. */
export const difference = (now: CounterSnapshot, before: CounterSnapshot): CounterSnapshot =>
  combine(now, before, (x, y) => Math.max(0, x - y));

function combine(
  a: CounterSnapshot,
  b: CounterSnapshot,
  by: (x: number, y: number) => number,
): CounterSnapshot {
  const codes = new Set([...Object.keys(a.refusals), ...Object.keys(b.refusals)]);
  const refusals = [...codes].map((code) => {
    return [code, by(countOf(a, code), countOf(b, code))] as const;
  });
  const counts = COUNTER_NAMES.map((name) => [name, by(a[name], b[name])]);
  return {
    ...(Object.fromEntries(counts) as Record<CounterName, number>),
    refusals: Object.fromEntries(refusals),
  };
}

/** A code such as `constructor` must not read a property of Object.prototype. */
const countOf = ({ refusals }: CounterSnapshot, code: string): number =>
  Object.hasOwn(refusals, code) ? refusals[code]! : 0;
