// What an object has done since it woke, in figures that only grow. Counting costs an addition; telling the hub's
// index is the business of reports.ts.

import type { Counted } from "../rpc/activity-report.ts";
/** The same while it is counted. */
export interface Counters extends Omit<{ -readonly [K in keyof Counted]: number }, "refusals"> {
  readonly refusals: Map<string, number>;
}

export const NOTHING: Counted = {
  ...{ in: 0, out: 0, bytesIn: 0, bytesOut: 0, replays: 0, replayed: 0, wakes: 0 },
  refusals: {},
};

export const freshCounters = (): Counters => ({ ...NOTHING, wakes: 1, refusals: new Map() });

/** Hubs have codes of their own: more than these are none that anybody looks at. */
const CODES_AT_MOST = 40;
const CODE = /^[a-z][a-z0-9_]{0,63}$/;

/** A code that is no name, or one too many, counts as `other`. */
export function countRefusal({ refusals }: Counters, code: string): void {
  const known = refusals.has(code) || (CODE.test(code) && refusals.size < CODES_AT_MOST);
  const name = known ? code : "other";
  refusals.set(name, (refusals.get(name) ?? 0) + 1);
}

/** A replay that was asked for: whole, or refused. */
export function countReplay(counters: Counters, recovered: boolean, messages: number): void {
  if (!recovered) return countRefusal(counters, "history_gone");
  counters.replays++;
  counters.replayed += messages;
}

export const countedOf = ({ refusals, ...figures }: Counters): Counted => ({
  ...figures,
  refusals: Object.fromEntries(refusals),
});

type Figure = Exclude<keyof Counted, "refusals">;
export const FIGURES: readonly Figure[] = [
  ...(["in", "out", "bytesIn", "bytesOut", "replays", "replayed", "wakes"] as const),
];

export const sum = (a: Counted, b: Counted): Counted => combined(a, b, (x, y) => x + y);

/** What came since; never below nothing, or a total would not only grow. */
export const since = (now: Counted, before: Counted): Counted =>
  combined(now, before, (x, y) => Math.max(0, x - y));

function combined(a: Counted, b: Counted, by: (x: number, y: number) => number): Counted {
  const codes = new Set([...Object.keys(a.refusals), ...Object.keys(b.refusals)]);
  const refusals = [...codes].map((code) => {
    return [code, by(countOf(a, code), countOf(b, code))] as const;
  });
  const figures = FIGURES.map((name) => [name, by(a[name], b[name])]);
  return {
    ...(Object.fromEntries(figures) as Record<Figure, number>),
    refusals: Object.fromEntries(refusals),
  };
}

/** A code such as `constructor` must not find what every object has. */
const countOf = ({ refusals }: Counted, code: string): number =>
  Object.hasOwn(refusals, code) ? refusals[code]! : 0;
