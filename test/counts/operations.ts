// What is counted. Each operation has a tenant of its own, prepares, and gives what is counted then. Its first times
// are not counted: objects exist, and the isolate knows its keys.

import type { Tenant } from "./clients.ts";
import { pass, settled } from "./clock.ts";

export interface Operation {
  /** The key of what is expected. */
  readonly title: string;
  /** Gives what is counted. */
  prepare(tenant: Tenant): Promise<() => Promise<unknown>>;
}

export const SECOND = 1_000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;

/** Past all that a connect leaves to be done later: reports, sweeps, entries that expire. */
export const rest = (): Promise<void> => pass(20 * MINUTE);

/** Runs one after another, each settled. */
export async function each<T>(items: readonly T[], run: (item: T) => Promise<unknown>) {
  for (const item of items) {
    await run(item);
    await settled();
  }
}

const ROOM = "busy";

/** Two members in a room; gives the first. */
async function pair(tenant: Tenant) {
  const [alice, bob] = [await tenant.room("alice", ROOM), await tenant.room("bob", ROOM)];
  const client = await alice();
  await bob();
  await settled();
  return client;
}

/** Two SignalR clients in a group; gives the first. */
async function relayedPair(tenant: Tenant) {
  const [alice, bob] = [await tenant.signalr("alice", ROOM), await tenant.signalr("bob", ROOM)];
  const client = await alice();
  await bob();
  await settled();
  return client;
}

/** Runs twice: the second time is counted. */
async function again(run: (text: string) => Promise<unknown>) {
  await run("first");
  await settled();
  await pass(SECOND);
  return () => run("second");
}

const CONNECTS: readonly Operation[] = [
  {
    title: "connect, room: a new user",
    async prepare(tenant) {
      await pair(tenant);
      return tenant.room("carol", ROOM);
    },
  },
  {
    title: "connect, room: a user who was there before",
    async prepare(tenant) {
      await pair(tenant);
      const carol = await tenant.room("carol", ROOM);
      (await carol()).socket.close(1000);
      await settled();
      await pass(MINUTE);
      const back = await tenant.room("carol", ROOM);
      await (
        await tenant.room("dave", ROOM)
      )();
      return back;
    },
  },
  {
    title: "connect, room: a new user in a new room",
    async prepare(tenant) {
      await pair(tenant);
      return tenant.room("carol", "new");
    },
  },
  {
    title: "connect, SignalR: a new user",
    async prepare(tenant) {
      await relayedPair(tenant);
      return tenant.signalr("carol");
    },
  },
  {
    title: "connect, SignalR: a user who was there before",
    async prepare(tenant) {
      await relayedPair(tenant);
      (await (await tenant.signalr("carol"))()).socket.close(1000);
      await settled();
      await pass(MINUTE);
      const back = await tenant.signalr("carol");
      await (
        await tenant.signalr("dave")
      )();
      return back;
    },
  },
  {
    title: "connect, JSON-RPC of the whole hub: a new user",
    async prepare(tenant) {
      await relayedPair(tenant);
      return tenant.hub("carol");
    },
  },
  {
    title: "join at a relay: a new group",
    async prepare(tenant) {
      const alice = await relayedPair(tenant);
      return () => alice.call("Join", "new");
    },
  },
  {
    title: "join at a relay: a group that others there are in",
    async prepare(tenant) {
      await relayedPair(tenant);
      const carol = await (await tenant.signalr("carol"))();
      await settled();
      return () => carol.call("Join", ROOM);
    },
  },
];

const CALLS: readonly Operation[] = [
  {
    title: "call, room",
    async prepare(tenant) {
      const alice = await pair(tenant);
      return again((text) => alice.call("echo", [text]));
    },
  },
  {
    title: "call, relay",
    async prepare(tenant) {
      const alice = await relayedPair(tenant);
      return again((text) => alice.call("Echo", text));
    },
  },
  {
    title: "POST rpc",
    async prepare(tenant) {
      await relayedPair(tenant);
      return again(await tenant.poster("alice"));
    },
  },
  {
    title: "Connect unary",
    async prepare(tenant) {
      await relayedPair(tenant);
      return again(await tenant.connecter("alice"));
    },
  },
];

const PUBLISHES: readonly Operation[] = [
  {
    title: "publish in a room of 2",
    async prepare(tenant) {
      const alice = await pair(tenant);
      return again((text) => alice.call("say", [ROOM, text]));
    },
  },
  {
    title: "publish over a relay in a group of 2",
    async prepare(tenant) {
      const alice = await relayedPair(tenant);
      return again((text) => alice.call("Say", ROOM, text));
    },
  },
  {
    title: "REST publish in a room of 2",
    async prepare(tenant) {
      await pair(tenant);
      return again(await tenant.publisher(ROOM));
    },
  },
];

/** As many as a checkpoint comes after: 1 row an action, and the state's own two. */
const CHECKPOINT = 64;

const ACTIONS: readonly Operation[] = [
  {
    title: "64 actions in a room with a state",
    async prepare(tenant) {
      const alice = await (await tenant.room("alice", ROOM, "sums"))();
      const add = async () => {
        const { error } = await alice.call("add", [1]);
        if (error) throw new Error(error.data.code);
      };
      const all = () => each(Array.from({ length: CHECKPOINT }), add);
      await all();
      // Past the rate of calls.
      await pass(MINUTE);
      return all;
    },
  },
];

export const OPERATIONS = [...CONNECTS, ...CALLS, ...PUBLISHES, ...ACTIONS];
