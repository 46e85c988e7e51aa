// A hub with state that a test steers: its version, its store elsewhere, and how long things wait.

import * as z from "zod";
import { action, anyone, authorize, hub, internal } from "../../src/hub.ts";

interface Saved {
  readonly room: { readonly name: string };
  readonly state: unknown;
  readonly position: { readonly epoch: string; readonly offset: number };
}

/** What a test sets. Objects that start later, and calls, see it. */
export const steering: {
  migrations: ((old: any) => unknown)[];
  load: ((name: string) => unknown) | undefined;
  save: ((saved: Saved) => unknown) | undefined;
  loadSeconds: number;
  /** Loaders, savers, schemas and policies wait while it is true. */
  isHeld: boolean;
} = { migrations: [], load: undefined, save: undefined, loadSeconds: 10, isHeld: false };

export function release(): void {
  Object.assign(steering, { migrations: [], load: undefined, save: undefined });
  Object.assign(steering, { loadSeconds: 10, isHeld: false });
}

/** Polled: a promise of the test would be another object's. */
export async function untilReleased(): Promise<void> {
  while (steering.isHeld) await scheduler.wait(1);
}

const waiting = {
  "~standard": {
    version: 1,
    vendor: "test",
    validate: async (value: unknown) => {
      await untilReleased();
      return { value: value as number };
    },
  },
} as const;

const options = {
  schema: z.object({ count: z.number(), label: z.string().optional() }),
  initial: { count: 0 },
  tables: ["CREATE TABLE marks (at INTEGER)"],
  saveSeconds: 1,
  get migrations() {
    return steering.migrations;
  },
  get load() {
    const { load } = steering;
    return load && (({ name }: { name: string }) => load(name));
  },
  get save() {
    const { save } = steering;
    return save && ((saved: Saved) => save(saved));
  },
  get loadSeconds() {
    return steering.loadSeconds;
  },
};

const add = (context: { state: { count: number } }, by: number) => (context.state.count += by);

export const SteeredHub = hub<{ said(text: string): void }>("steered", {
  rooms: { group: { enter: ({ user }) => !user?.roles.includes("Stranger") } },
  limits: { callsPerSecond: 1_000, callBurst: 2_000 },
})
  .state("group", options as never)
  .internal({ tick: internal([], ({ state }: any) => void state.count++) } as never)
  .actions({
    add: action([z.number()], add as never),
    slow: action([waiting], add as never),
    guarded: authorize(async () => {
      await untilReleased();
      return true;
    }).action([z.number()], add as never),
    mark: action([], ({ state, sql }: any) => {
      state.count++;
      void sql`INSERT INTO marks VALUES (${state.count})`;
      return sql`SELECT count(*) AS n FROM marks`[0].n;
    }),
    later: action([z.number()], ({ schedule }: any, seconds: number) =>
      schedule.in(seconds).tick(),
    ),
    tell: action([z.string()], ({ state, clients }: any, group: string) => {
      state.count++;
      clients.group(group).said("told");
    }),
  } as never);

/** The same, written behind. */
export const SteeredBehindHub = hub("steered-behind", {
  rooms: { group: { enter: anyone } },
  durability: "behind",
})
  .state("group", options as never)
  .actions({ add: action([z.number()], add as never) } as never);
