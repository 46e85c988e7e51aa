// Times of little or much to do, for what they cost: idle hours, sparse updates, a chat. What is counted begins when
// all has settled that the clients' coming left to do.

import type { Tenant } from "./clients.ts";
import { pass, settled } from "./clock.ts";
import {
  BY_SIGNALR,
  IN_GROUPS,
  IN_ONE_ROOM,
  IN_ROOMS,
  titleOf,
  type IdleLoad,
} from "./idle-loads.ts";
import { each, HOUR, MINUTE, rest, SECOND, type Operation } from "./operations.ts";

const numbered = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

/** Clients of one room, of a room each, or of a relay; they connect one after another. */
async function crowd(
  count: number,
  client: (index: number) => Promise<() => Promise<unknown>>,
): Promise<void> {
  await each(numbered(count), async (index) => (await client(index))());
  await rest();
}

const idle = (
  load: IdleLoad,
  client: (tenant: Tenant, index: number) => Promise<() => Promise<unknown>>,
): Operation[] =>
  load.crowds.map((count) => ({
    title: titleOf(load, count),
    async prepare(tenant) {
      await crowd(count, (index) => client(tenant, index));
      return () => pass(load.hours * HOUR);
    },
  }));

/** One each six minutes. */
async function updates(count: number, update: (text: string) => Promise<unknown>): Promise<void> {
  await each(numbered(count), async (index) => {
    await update(`update ${index}`);
    await settled();
    await pass(6 * MINUTE);
  });
}

const UPDATES: readonly Operation[] = [
  {
    title: "10 updates in an hour, by REST to a client in its room",
    async prepare(tenant) {
      await crowd(1, () => tenant.room("alice", "order"));
      const publish = await tenant.publisher("order");
      await updates(2, publish);
      return () => updates(10, publish);
    },
  },
  {
    title: "10 updates in an hour, by REST to a SignalR client on a relay",
    async prepare(tenant) {
      await crowd(1, () => tenant.signalr("alice", "order"));
      const publish = await tenant.publisher("order");
      await updates(2, publish);
      return () => updates(10, publish);
    },
  },
];

/** One message each 25 s, for five minutes: the room sleeps in between. */
const SLEEPY: Operation = {
  title: "12 messages, one each 25 s, in a room of 2",
  async prepare(tenant) {
    const alice = await (await tenant.room("alice", "sleepy"))();
    await (
      await tenant.room("bob", "sleepy")
    )();
    await rest();
    const talk = () =>
      each(numbered(12), async (index) => {
        await alice.call("say", ["sleepy", `${index}`]);
        await settled();
        await pass(25 * SECOND);
      });
    await talk();
    return talk;
  },
};

const CHATTERS = 50;

/** A message each second, for a minute. */
const chat = async (say: (text: string) => Promise<unknown>): Promise<void> =>
  each(numbered(60), async (index) => {
    await say(`${index}`);
    await settled();
    await pass(SECOND);
  });

const CHATS: readonly Operation[] = [
  {
    title: `a message each second for a minute, in a room of ${CHATTERS}`,
    async prepare(tenant) {
      const alice = await (await tenant.room("alice", "chat"))();
      await crowd(CHATTERS - 1, (index) => tenant.room(`user-${index}`, "chat"));
      const say = (text: string) => alice.call("say", ["chat", text]);
      await chat(say);
      return () => chat(say);
    },
  },
  {
    title: `a message each second for a minute, over a relay to a group of ${CHATTERS}`,
    async prepare(tenant) {
      const alice = await (await tenant.signalr("alice", "chat"))();
      await crowd(CHATTERS - 1, (index) => tenant.signalr(`user-${index}`, "chat"));
      const say = (text: string) => alice.call("Say", "chat", text);
      await chat(say);
      return () => chat(say);
    },
  },
];

export const LOADS: readonly Operation[] = [
  ...idle(IN_ONE_ROOM, (tenant, index) => tenant.room(`user-${index}`, "one")),
  ...idle(IN_ROOMS, (tenant, index) => tenant.room(`user-${index}`, `room-${index}`)),
  ...idle(BY_SIGNALR, (tenant, index) => tenant.signalr(`user-${index}`)),
  ...idle(IN_GROUPS, (tenant, index) => tenant.signalr(`user-${index}`, `group-${index}`)),
  ...UPDATES,
  SLEEPY,
  ...CHATS,
];
