// The model of a room with state: plain values in memory. Its effects are those that the room promises.

import { canonical, perform, type Json, type Step } from "../../support/modelled-hub.ts";

export interface Planned {
  readonly id: string;
  readonly action: string;
  readonly args: readonly unknown[];
  readonly at: number;
  readonly every?: number;
  readonly planned?: number;
  readonly failures: number;
}

/** All that a commit may change. */
export interface World {
  readonly state: Readonly<Record<string, unknown>>;
  readonly schedule: ReadonlyMap<string, Planned>;
  /** Answers by key. */
  readonly answers: ReadonlyMap<string, string>;
  readonly facts: readonly number[];
  /** Messages to other rooms: `group text`. */
  readonly told: readonly string[];
  /** Messages to the room. */
  readonly said: readonly string[];
}

export const EMPTY: World = {
  ...{ state: {}, schedule: new Map(), answers: new Map() },
  ...{ facts: [], told: [], said: [] },
};

const SCHEDULES_AT_MOST = 6;
const PAUSES_MS = [1_000, 5_000, 25_000, 125_000];
const MOST_FAILURES = 5;

const hasNull = (value: Json): boolean =>
  typeof value === "object" && value !== null
    ? Object.values(value).some(
        (item) => (item === null && !Array.isArray(value)) || hasNull(item as Json),
      )
    : false;

interface Ran {
  readonly world: World;
  readonly result: string;
}

/** Runs steps. Throws if the action must fail. */
export function ran(
  world: World,
  steps: readonly Step[],
  now: number,
  first?: readonly [string, Planned | undefined],
): Ran {
  const schedule = new Map(world.schedule);
  const put = (id: string, one: Planned | undefined) =>
    one ? schedule.set(id, one) : schedule.delete(id);
  if (first) put(...first);
  const [facts, told, said] = [[...world.facts], [...world.told], [...world.said]];
  const plan = (id: string, args: readonly Step[], more: Pick<Planned, "at" | "every">) => {
    if (JSON.stringify([args]).length > 1024) throw new Error("Too large.");
    put(id, { id, action: "due", args: [args], ...more, failures: 0 });
  };
  const effects = {
    state: structuredClone(world.state),
    in: (seconds: number, id: string, args: readonly Step[]) =>
      plan(id, args, { at: now + seconds * 1000 }),
    every: (every: number, id: string, args: readonly Step[]) =>
      plan(id, args, { at: now + every * 1000, every }),
    cancel: (id: string) => put(id, undefined),
    say: (text: string) => void said.push(text),
    tell: (group: string, text: string) => void told.push(`${group} ${text}`),
    insert: (value: number) => void facts.push(value),
    admit(value: Json, isMember: boolean) {
      if (hasNull(value) || (isMember && value === null)) throw new Error("Null.");
    },
  };
  const result = perform(effects, structuredClone(steps));
  const { state } = effects;
  if (typeof state !== "object" || state === null || Array.isArray(state))
    throw new Error("No state.");
  if (schedule.size > SCHEDULES_AT_MOST && schedule.size > world.schedule.size)
    throw new Error("Too many.");
  return { world: { ...world, state, schedule, facts, told, said }, result };
}

export const isPoisoned = ({ state }: World): boolean => state["poison"] === true;

/** The room before its alarm at this time, and after each action that was due. */
export function rung(world: World, now: number): World[] {
  const due = inOrder(world).filter(({ at, failures }) => at <= now && failures < MOST_FAILURES);
  const together = through(world, due, (before, one) => rungOne(before, one, now));
  if (!isPoisoned(together.at(-1)!)) return together;
  return through(world, due, (before, one) => {
    if (before.schedule.get(one.id) !== one) return before;
    const after = rungOne(before, one, now);
    return isPoisoned(after) ? failed(before, one, now) : after;
  });
}

/** The world, and what it is after each of these. */
function through(
  world: World,
  due: readonly Planned[],
  after: (before: World, one: Planned) => World,
): World[] {
  const worlds = [world];
  for (const one of due) worlds.push(after(worlds.at(-1)!, one));
  return worlds;
}

function rungOne(world: World, one: Planned, now: number): World {
  if (world.schedule.get(one.id) !== one) return world;
  try {
    return ran(world, one.args[0] as Step[], now, [one.id, next(one, now)]).world;
  } catch {
    return failed(world, one, now);
  }
}

const plannedFor = ({ at, failures, planned = at }: Planned) => (failures > 0 ? planned : at);

function next(one: Planned, now: number): Planned | undefined {
  if (one.every === undefined) return undefined;
  const { planned: _, ...rest } = one;
  const [period, planned] = [one.every * 1000, plannedFor(one)];
  let at = planned + period;
  while (at <= now) at += period;
  return { ...rest, at, failures: 0 };
}

function failed(world: World, one: Planned, now: number): World {
  const failures = one.failures + 1;
  const pause = PAUSES_MS[failures - 1];
  const again = {
    ...{ ...one, failures, at: pause === undefined ? one.at : now + pause },
    ...(one.every !== undefined && { planned: plannedFor(one) }),
  };
  return { ...world, schedule: new Map([...world.schedule, [one.id, again]]) };
}

/** The room that an export makes. */
export function copied(world: World, isNow = true): World {
  const all = inOrder(world).map((one) => {
    const { planned, ...rest } = one;
    if (planned === undefined || one.failures >= MOST_FAILURES) return rest;
    return { ...rest, at: plannedFor(one), failures: 0 };
  });
  const schedule = new Map(isNow ? all.map((one) => [one.id, one]) : []);
  return { ...EMPTY, state: world.state, facts: world.facts, schedule };
}

export const inOrder = ({ schedule }: World): Planned[] =>
  [...schedule.values()].toSorted((a, b) => a.at - b.at || (a.id < b.id ? -1 : 1));

/** A text for what can be read of a room. */
export const seen = (world: Pick<World, "state" | "facts"> & { schedule: readonly Planned[] }) =>
  canonical({
    state: world.state,
    facts: world.facts,
    schedule: world.schedule.map((one) => ({ ...one })),
  });
