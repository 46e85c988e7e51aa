// Hubs whose actions do what they are given, step by step. A random test runs the same steps on a plain object.

import * as z from "zod";
import { action, anyone, hub, HubError, internal } from "../../src/hub.ts";

export type Json = string | number | boolean | Json[] | { [key: string]: Json } | null;
export type Step = readonly [kind: string, ...rest: any[]];

/** The effects that steps may have, of an action or of a model. */
export interface Effects {
  state: any;
  in(seconds: number, id: string, steps: readonly Step[]): void;
  every(period: number, id: string, steps: readonly Step[]): void;
  cancel(id: string): void;
  say(text: string): void;
  tell(group: string, text: string): void;
  insert(value: number): void;
  query?(text: string): void;
  /** Throws for a value that a state may not have: a model has no draft that would. */
  admit?(value: Json, isMember: boolean): void;
}

const isRecord = (value: unknown): value is Record<string, any> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The object that has the last key of the path; made where nothing is. Throws `no` where something else is. */
function holderOf(state: any, path: readonly string[]): any {
  let holder = state;
  for (const key of path.slice(0, -1)) {
    if (isRecord(holder) && !Object.hasOwn(holder, key)) holder[key] = {};
    holder = isRecord(holder) ? holder[key] : undefined;
  }
  if (!isRecord(holder)) throw new HubError("no", "There is no such place.");
  return holder;
}

/** The array at the path. */
function listAt(state: any, path: readonly string[]): any[] {
  const holder = holderOf(state, path);
  const key = path.at(-1)!;
  if (!Object.hasOwn(holder, key)) holder[key] = [];
  const list = holder[key];
  if (!Array.isArray(list)) throw new HubError("no", "There is no such list.");
  return list;
}

const STEPS: Readonly<Record<string, (effects: Effects, ...rest: any[]) => void>> = {
  set(effects, path: string[], value: Json) {
    const holder = holderOf(effects.state, path);
    effects.admit?.(value, true);
    holder[path.at(-1)!] = value;
  },
  delete(effects, path: string[]) {
    delete holderOf(effects.state, path)[path.at(-1)!];
  },
  copy({ state }, from: string[], to: string[]) {
    const value = holderOf(state, from)[from.at(-1)!];
    if (value === undefined) throw new HubError("no", "There is nothing to copy.");
    holderOf(state, to)[to.at(-1)!] = JSON.parse(JSON.stringify(value));
  },
  push({ state, ...effects }, path: string[], value: Json) {
    const list = listAt(state, path);
    effects.admit?.(value, false);
    list.push(value);
  },
  splice({ state, ...effects }, path: string[], at: number, ...rest: any[]) {
    const [count, ...values] = rest as [number, ...Json[]];
    const list = listAt(state, path);
    for (const value of values) effects.admit?.(value, false);
    list.splice(at, count, ...values);
  },
  reverse({ state }, path: string[]) {
    listAt(state, path).reverse();
  },
  replace(effects, value: Json) {
    effects.admit?.(value, true);
    effects.state = value;
  },
  in: (effects, seconds, id, steps) => effects.in(seconds, id, steps),
  every: (effects, period, id, steps) => effects.every(period, id, steps),
  cancel: (effects, id) => effects.cancel(id),
  say: (effects, text) => effects.say(text),
  tell: (effects, group, text) => effects.tell(group, text),
  insert: (effects, value) => effects.insert(value),
  query: (effects, text) => effects.query!(text),
  attempt(effects, text) {
    try {
      effects.query!(text);
    } catch {
      // The action goes on.
    }
  },
  throw() {
    throw new HubError("no", "Not so.");
  },
};

export function perform(effects: Effects, steps: readonly Step[]): string {
  for (const [kind, ...rest] of steps) STEPS[kind]!(effects, ...rest);
  return canonical(effects.state);
}

/** As JSON, keys in their order. */
export const canonical = (value: any): string =>
  JSON.stringify(value, (_, item) =>
    isRecord(item)
      ? Object.fromEntries(Object.entries(item).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : item,
  );

const effectsOf = (context: any): Effects => ({
  get state() {
    return context.state;
  },
  set state(value) {
    context.state = value;
  },
  in: (seconds, id, steps) => context.schedule.in(seconds, id).due(steps),
  every: (period, id, steps) => context.schedule.every(period, id).due(steps),
  cancel: (id) => context.schedule.cancel(id),
  say: (text) => context.clients.room.said(text),
  tell: (group, text) => context.clients.group(group).said(text),
  insert: (value) => void context.sql`INSERT INTO facts VALUES (${value})`,
  query: (text) => context.sql([text]),
});

const steps = z.array(z.any());
const run = (context: any, given: readonly Step[]) => perform(effectsOf(context), given);

/** Fails the flush. */
const view = (state: any) => {
  if (state.poison === true) throw new Error("Poison.");
  const { hidden: _, ...shown } = state;
  return shown;
};

const modelled = (name: string, settings: object, options: object = {}) =>
  hub<{ said(text: string): void }>(name, {
    rooms: { group: { enter: anyone } },
    limits: { schedulesPerRoom: 6 },
    ...settings,
  })
    .state("group", {
      schema: z.record(z.string(), z.json()),
      initial: {},
      view,
      ...options,
    } as never)
    .internal({ due: internal([steps], run as never) } as never)
    .actions({ steps: action([steps], run as never) } as never);

const tables = ["CREATE TABLE facts (value INTEGER)"];

export const modelledHubs = [
  modelled("modelled", {}),
  modelled("modelled-sql", {}, { tables }),
  modelled("modelled-short", { history: { size: 2, ttlSeconds: 60 } }),
  modelled("modelled-behind", { durability: "behind" }),
  modelled("modelled-behind-sql", { durability: "behind" }, { tables }),
  modelled("modelled-unlogged", { history: false }),
  modelled("modelled-paced", {}, { updatesPerSecond: 30 }),
];
