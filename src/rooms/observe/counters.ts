// Counters of an object's activity since its wake. They only grow, so a snapshot that is reported twice counts once.
// Reporting them to the hub's index is done by activity-reports.ts.

import { CLOSE, type CloseCode } from "../../model/errors.ts";
import type { WebhookCount } from "../../webhooks/webhook-sender.ts";
import { Histogram } from "../platform/histogram.ts";
import type { CounterSnapshot } from "../rpc/activity-report.ts";

/** The counters of an object while they run. */
export interface Counters extends Omit<
  { -readonly [K in keyof Required<CounterSnapshot>]: number },
  NamedFigure
> {
  readonly refusals: Map<string, number>;
  readonly clients: Map<string, number>;
  readonly runs: Map<string, number>;
  readonly webhooks: Map<string, number>;
  readonly deliveries: Histogram;
  readonly calls: Histogram;
}

/** Figures that are several numbers. */
export type NamedFigure = "refusals" | "clients" | "runs" | "webhooks" | "deliveries" | "calls";

export const ZERO_COUNTERS: CounterSnapshot = {
  ...{ in: 0, out: 0, bytesIn: 0, bytesOut: 0, replays: 0, replayed: 0, wakes: 0 },
  ...{ refusals: {}, clients: {}, runs: {}, webhooks: {}, deliveries: {}, calls: {} },
};

export const newCounters = (): Counters => ({
  ...ZERO_COUNTERS,
  ...{ wakes: 1, refusals: new Map(), clients: new Map(), runs: new Map(), webhooks: new Map() },
  ...{ deliveries: new Histogram(), calls: new Histogram() },
});

/** Refusal codes counted by name. Hubs invent codes, and each is a series of its own in Prometheus. */
const CODES_AT_MOST = 40;
const OTHER = "other";
const CODE = /^[a-z][a-z0-9_]{0,63}$/;

export const countRefusal = ({ refusals }: Counters, code: string): void =>
  countCode(refusals, code);

/** A run of an action: `done`, `repeated`, or the code with which it was refused. `unsaved`: of a state elsewhere. */
export const countRun = ({ runs }: Counters, outcome: string): void => countCode(runs, outcome);

/** A code that is malformed, or beyond the number of codes, counts as `other`. */
function countCode(counts: Map<string, number>, code: string): void {
  const isCounted = counts.has(code) || (CODE.test(code) && counts.size < CODES_AT_MOST);
  add(counts, isCounted ? code : OTHER);
}

const add = (counts: Map<string, number>, name: string, number = 1): void =>
  void counts.set(name, (counts.get(name) ?? 0) + number);

export const countWebhooks = ({ webhooks }: Counters, what: WebhookCount, number: number): void =>
  add(webhooks, what, number);

/** Versions of clients that are counted by name: clients may say any. */
const VERSIONS_AT_MOST = 20;

/** A connection of our own client begins. Others say no version, and are not counted. */
export function countClient({ clients }: Counters, version: string | undefined): void {
  if (version === undefined) return;
  const isCounted = clients.has(version) || clients.size < VERSIONS_AT_MOST;
  add(clients, isCounted ? version : OTHER);
}

/** Closes by which a limit ends a connection. */
const LIMIT_CLOSES: ReadonlySet<CloseCode> = new Set([CLOSE.slow, CLOSE.busy, CLOSE.flooding]);

/** A connection that a limit ended counts as a refusal, by its close code: `closed_4429`. */
export function countClose(counters: Counters, why: CloseCode): void {
  if (LIMIT_CLOSES.has(why)) countRefusal(counters, `closed_${why}`);
}

/** Counts a replay that a client asked for. One that could not be complete counts as a refusal, `history_gone`. */
export function countReplay(counters: Counters, recovered: boolean, messages: number): void {
  if (!recovered) return countRefusal(counters, "history_gone");
  counters.replays++;
  counters.replayed += messages;
}

export const snapshotOf = (counters: Counters, bytesOut = counters.bytesOut): CounterSnapshot => ({
  ...{ in: counters.in, out: counters.out, bytesIn: counters.bytesIn, bytesOut },
  ...{ replays: counters.replays, replayed: counters.replayed, wakes: counters.wakes },
  refusals: namedIn(counters.refusals),
  clients: namedIn(counters.clients),
  runs: namedIn(counters.runs),
  webhooks: namedIn(counters.webhooks),
  ...{ deliveries: counters.deliveries.counts, calls: counters.calls.counts },
});

/** Shared, because most figures of most objects have no names. */
const NONE: Named = {};

const namedIn = (counts: ReadonlyMap<string, number>): Named =>
  counts.size === 0 ? NONE : Object.fromEntries(counts);

type CounterName = Exclude<keyof CounterSnapshot, NamedFigure>;
/** All counters that are one number, in the order of Analytics Engine's doubles (analytics.ts). */
export const COUNTER_NAMES: readonly CounterName[] = [
  ...(["in", "out", "bytesIn", "bytesOut", "replays", "replayed", "wakes"] as const),
];

export const sum = (a: CounterSnapshot, b: CounterSnapshot): CounterSnapshot =>
  combine(a, b, (x, y) => x + y);

/** The increase from one snapshot to a later one; never negative, so that totals only grow. */
export const difference = (now: CounterSnapshot, before: CounterSnapshot): CounterSnapshot =>
  combine(now, before, (x, y) => Math.max(0, x - y));

/** Figures that are several numbers, and how many of their names are kept. */
const NAMED: readonly (readonly [NamedFigure, number])[] = [
  ...([
    ["refusals", CODES_AT_MOST],
    ["clients", VERSIONS_AT_MOST],
    ["runs", CODES_AT_MOST],
  ] as const),
  ...(["webhooks", "deliveries", "calls"] as const).map((name) => [name, Infinity] as const),
];

function combine(
  a: CounterSnapshot,
  b: CounterSnapshot,
  by: (x: number, y: number) => number,
): CounterSnapshot {
  const combined: Record<string, number | Named> = {};
  for (const name of COUNTER_NAMES) combined[name] = by(a[name], b[name]);
  for (const [name, most] of NAMED) combined[name] = combineNamed(a[name], b[name], { by, most });
  return combined as unknown as CounterSnapshot;
}

type Named = Readonly<Record<string, number>>;

interface Combining {
  by(x: number, y: number): number;
  /** How many names are kept. */
  readonly most: number;
}

function combineNamed(a: Named = NONE, b: Named = NONE, { by, most }: Combining): Named {
  const names = Object.keys({ ...a, ...b });
  if (names.length === 0) return NONE;
  const all = names.map((name) => [name, by(countOf(a, name), countOf(b, name))] as const);
  return withFew(Object.fromEntries(all), most);
}

/** A code such as `constructor` must not read a property of Object.prototype. */
const countOf = (named: Named, name: string): number =>
  Object.hasOwn(named, name) ? named[name]! : 0;

/** The bound holds over many objects and years, too: the names that were counted first stay. */
function withFew({ [OTHER]: other = 0, ...named }: Named, most: number): Named {
  const entries = Object.entries(named);
  const rest = entries.slice(most).reduce((all, [, count]) => all + count, other);
  return { ...Object.fromEntries(entries.slice(0, most)), ...(rest > 0 && { [OTHER]: rest }) };
}
