// What happens in a deployment before its storage is recorded: something of every kind that objects store. The facts
// are what the objects must still know when they start on it again.

import { env } from "cloudflare:workers";
import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { expect, vi } from "vitest";
import { formatPosition } from "../../../src/model/topic.ts";
import { attachedOf } from "../../../src/rooms/connection/attachment.ts";
import { ZERO_COUNTERS } from "../../../src/rooms/observe/counters.ts";
import { accountName, accountStub, objectName } from "../../../src/rooms/rpc/object-names.ts";
import type { HubMetrics, RoomsView } from "../../../src/rooms/rpc/hub-metrics.ts";
import type { RoomRpc } from "../../../src/rooms/rpc/room-rpc.ts";
import type { EndpointEnv } from "../../../src/server.ts";
import { Receiver, SECRET } from "../../webhooks/receiver.ts";
import { enter, roomAt } from "../client.ts";
import {
  connected,
  negotiate,
  open,
  relayOf,
  type Negotiated,
  type SignalR,
} from "../relay/client.ts";
import { inObject, type ObjectAddress } from "./fixture.ts";

/** Clients of this hub may resume their connections, and its relays remember groups. */
export const HUB = "remembering-resuming";
export const ROOM = `${HUB}/group:r1`;
/** Its log is written once a second. */
export const BEHIND = "behind/group:b1";
/** Objects that have the fewest tables: of hubs that keep little, made while no webhook was configured. */
export const PLAIN = "chat/group:plain";
const PLAIN_HUB = "relayed";
/** Two connections fill a relay of this hub. */
const FULL_HUB = "remembering-five";
export const TENANT = "default";
/** In seconds. */
export const BAN = 3_600;
export const MEMBERSHIP = 600;

export interface Facts {
  /** The log of the room. `since` is before all of `missed`. */
  readonly log: {
    readonly epoch: string;
    readonly offset: number;
    readonly since: string;
    readonly missed: readonly string[];
  };
  readonly index: {
    readonly rooms: RoomsView;
    readonly relays: RoomsView;
    readonly metrics: HubMetrics;
  };
  readonly behind: { readonly epoch: string; readonly offset: number };
  /** Names of relays' objects. */
  readonly relay: string;
  readonly fullRelay: string;
  /** Clients whose sockets broke, and who have not confirmed `unconfirmed`. `bob` reads JSON, `cyn` MessagePack. */
  readonly bob: Negotiated;
  readonly cyn: Negotiated;
  readonly unconfirmed: readonly string[];
  /** A seat that waits for its client, with what the connect webhook has granted. */
  readonly kim: Negotiated;
  /** Ids of events that the receiver has not taken yet, of the room. */
  readonly events: readonly string[];
}

const set = (changes: Partial<EndpointEnv>) => Object.assign(env, changes);

/** Webhooks are on, and their receiver answers nothing; the connect webhook puts users into `group:granted`. */
export function configure(): Receiver {
  const receiver = new Receiver();
  receiver.answer = () => Promise.reject(new TypeError("connection refused"));
  const kinds = "connected,disconnected,joined,left,message";
  set({ WEBHOOK_URL: receiver.urls.events, WEBHOOK_SECRET: SECRET, WEBHOOK_EVENTS: kinds });
  return receiver;
}

export const unconfigure = (): void =>
  void set({ WEBHOOK_URL: "", WEBHOOK_SECRET: "", WEBHOOK_EVENTS: "", WEBHOOK_CONNECT_URL: "" });

export const account = (user: string) => accountStub(env, { tenant: TENANT, user });

export const publish = (room: string, ...words: string[]) =>
  roomAt(room).publish({ target: "said", params: JSON.stringify(words) });

/** As the platform tells of a socket that broke; the peer's side knows nothing of it. */
const lose = (id: string) =>
  runInDurableObject(relayOf(HUB, id), (relay, state) => {
    const socket = state.getWebSockets().find((one) => attachedOf(one)?.id === id)!;
    (relay as unknown as DurableObject).webSocketClose!(socket, 1006, "", false);
  });

/** Until the object has stored it. */
const stored = (
  address: ObjectAddress,
  what: (storage: DurableObjectStorage) => unknown,
  expected: unknown = true,
): Promise<void> =>
  vi.waitFor(async () => expect(await inObject(address, what)).toEqual(expected), {
    interval: 5,
    timeout: 5_000,
  });

const room = (name: string): ObjectAddress => {
  const [hub = "", topic = ""] = name.split("/");
  const [kind = "", group = ""] = topic.split(":");
  const address = { tenant: TENANT, hub, topic: { kind, name: group } } as const;
  return { kind: "room", name: objectName(address as Parameters<typeof objectName>[0]) };
};

const relay = (hub: string, connectionId: string): ObjectAddress => ({
  kind: "relay",
  name: objectName({ tenant: TENANT, hub, relay: /@relay:(.+)$/.exec(connectionId)![1]! }),
});

/** A client that reads MessagePack; what it gets, nobody reads here. */
async function connectedBinary(user: string): Promise<Negotiated> {
  const negotiated = await negotiate(HUB, { user, query: "useStatefulReconnect=true" });
  const { webSocket } = await open(HUB, negotiated.connectionToken, { user });
  webSocket!.accept();
  const isShaken = new Promise<void>((resolve) =>
    webSocket!.addEventListener("message", () => resolve(), { once: true }),
  );
  webSocket!.send('{"protocol":"messagepack","version":2}\u001e');
  await isShaken;
  return negotiated;
}

/** Plays it, and gives the facts and the objects whose storage holds them. */
export async function play(): Promise<{ facts: Facts; objects: ObjectAddress[] }> {
  const plain = await playPlain();
  const ann = await enter(ROOM, { user: "ann" });
  await ann.call("$/track", { state: "busy" });
  const named = { query: "client=desk&useStatefulReconnect=true", version: 2 };
  const bob = await connected(HUB, { ...named, user: "bob" });
  const cyn = await connectedBinary("cyn");
  const dan = await connected(HUB, { user: "dan", query: "client=phone" });
  await joinAll(bob, dan, cyn);
  await publish(ROOM, "before");
  await dan.hears("before");
  const first =
    (await bob.record(({ target }) => target === "Said")) && (await roomAt(ROOM).info());
  await confirmAll(bob);
  const here = relay(HUB, bob.id);
  await report([room(ROOM), here]);
  await reportEnd();
  await lose(dan.id);
  await punish();
  const fullRelay = await fill();
  const kim = await grantSeat();
  for (const id of [bob.id, cyn.connectionId]) await lose(id);
  for (const word of ["one", "two"]) await publish(ROOM, word);
  const unconfirmed = ["one", "two"];
  const top = (await roomAt(ROOM).info()).position;
  await stored(
    here,
    ({ sql }) => sql.exec("SELECT offset FROM stands WHERE room = 'group:r1'").toArray(),
    [{ offset: top.offset }],
  );
  for (const one of [room(ROOM), here])
    await stored(one, ({ kv }) => kv.get("webhook-retry") !== undefined);
  const behind = await publish(BEHIND, "lost by a crash");
  const users = ["bob", "eve", "fay", "gus", "hal"];
  const accounts = new Set(users.map((user) => accountName({ tenant: TENANT, user })));
  return {
    facts: {
      log: { ...top, since: formatPosition(first.position), missed: ["one", "two"] },
      index: await indexOf(roomAt(`${HUB}/all`)),
      ...{ behind, relay: here.name, fullRelay: fullRelay.name, kim, cyn, unconfirmed },
      bob: { connectionId: bob.id, connectionToken: bob.token },
      events: await eventsOf(room(ROOM)),
    },
    objects: [
      ...[room(ROOM), room(`${HUB}/all`), room(BEHIND), here, fullRelay, ...plain],
      ...[...accounts].map((name) => ({ kind: "account", name }) as const),
    ],
  };
}

async function playPlain(): Promise<ObjectAddress[]> {
  const { WEBHOOK_URL } = env as unknown as Required<EndpointEnv>;
  set({ WEBHOOK_URL: "" });
  await publish(PLAIN, "plain");
  const { id } = await connected(PLAIN_HUB);
  set({ WEBHOOK_URL });
  return [room(PLAIN), relay(PLAIN_HUB, id)];
}

async function joinAll(bob: SignalR, dan: SignalR, cyn: Negotiated): Promise<void> {
  for (const client of [bob, dan]) await client.call("Join", "r1");
  await bob.call("Add", cyn.connectionId, "r1");
}

/** Bob has everything until now. */
async function confirmAll(bob: SignalR): Promise<void> {
  bob.say({ type: 8, sequenceId: 1_000 });
  await stored(
    relay(HUB, bob.id),
    ({ sql }) => sql.exec("SELECT last FROM unconfirmed WHERE connection = ?", bob.id).toArray(),
    [],
  );
}

/** The objects report to the hub's index, and the room sees that every follower has all. */
async function report(objects: readonly ObjectAddress[]): Promise<void> {
  vi.setSystemTime(Date.now() + 6_000);
  for (const one of objects) {
    await runDurableObjectAlarm((one.kind === "room" ? env.ROOMS : env.RELAYS).getByName(one.name));
    await stored(one, ({ kv }) => kv.get("told") !== undefined);
  }
  const settled = ({ kv }: DurableObjectStorage) => kv.get<{ settled?: object }>("told")?.settled;
  await stored(room(ROOM), (storage) => settled(storage) !== undefined);
}

/** An object that has ended leaves its counts to the totals of the hub. */
async function reportEnd(): Promise<void> {
  const all = roomAt(`${HUB}/all`);
  const none = { sockets: 0, connections: 0, users: 0, wake: "w", before: ZERO_COUNTERS };
  const counted = { ...ZERO_COUNTERS, in: 1 };
  await all.report("group:ended", { ...none, counted });
  await all.report("group:ended", { ...none, counted, ended: true });
}

async function punish(): Promise<void> {
  await account("eve").ban(BAN, "Spam.");
  await account("fay").revoke({ jti: "j1", until: Date.now() + 3_600_000 });
  await account("gus").revoke({ before: Date.now() / 1000, until: Date.now() + 3_600_000 });
  await account("hal").addToGroup(HUB, "staff", MEMBERSHIP);
}

/** The third client finds the relay full. */
async function fill(): Promise<ObjectAddress> {
  const client = { query: "client=same", user: "f1" };
  const { id } = await connected(FULL_HUB, client);
  const full = relay(FULL_HUB, id);
  await inObject(full, async (_, object) => {
    const { seat } = object as { seat(user: string, request: object): Promise<unknown> };
    await seat.call(object, "f2", { hasSecretToken: true });
    expect(await seat.call(object, "f3", { hasSecretToken: true })).toBeUndefined();
  });
  return full;
}

async function grantSeat(): Promise<Negotiated> {
  const receiver = new Receiver();
  receiver.answer = () => Response.json({ claims: { channels: ["group:granted"] } });
  set({ WEBHOOK_CONNECT_URL: receiver.urls.connect });
  const seat = await negotiate(HUB, { user: "kim" });
  set({ WEBHOOK_CONNECT_URL: "" });
  return seat;
}

export const indexOf = async (all: RoomRpc): Promise<Facts["index"]> => ({
  rooms: await all.rooms({}),
  relays: await all.relays({}),
  metrics: await all.metrics(),
});

const eventsOf = (address: ObjectAddress): Promise<string[]> =>
  inObject(address, ({ sql }) =>
    sql
      .exec("SELECT events FROM webhooks ORDER BY number")
      .toArray()
      .flatMap(({ events }) => JSON.parse(`[${events as string}]`) as { id: string }[])
      .map(({ id }) => id),
  );
