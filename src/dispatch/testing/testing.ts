// Runs one hub in memory, for tests of user code. Calls go the dispatcher's own way (find → authorise → validate);
// what the hub says is written down instead of sent. No socket, no room object and no delivery is in here.

import { HubError } from "../../model/errors.ts";
import { StreamRef } from "../../model/message.ts";
import { parseTopic, type Topic } from "../../model/topic.ts";
import type { User } from "../../model/user.ts";
import { callerClientsOf, clientsOf, type Messenger } from "../context/call-context.ts";
import type { HubContext, Items, RoomContext } from "../define/hub-context.ts";
import type { Answers, AnyHub, Hub, HubMember } from "../define/hub-definition.ts";
import { prepare } from "../run/hub-call.ts";
import { type Table, servedHub } from "../define/hub-tables.ts";
import { memoryRooms, type MemoryRooms } from "./memory-rooms.ts";
import { CALLER, recording, wired, type Sending } from "./recording.ts";
import type { HubCalls } from "../define/hub-types.ts";

export type { Sending } from "./recording.ts";

export interface Setting<C> {
  /** Who calls. What is left out is that of alice, who has no roles and no claims; `null` is nobody. */
  readonly user?: Partial<User> | null;
  /** What clients answer, good or bad. A client method that is not here never answers: `timed_out`. */
  readonly answers?: { readonly [K in keyof Answers<C>]?: unknown };
  /**
   * The room, as a topic, that the connection is attached to and present in. Default: `all`, which has no name: a
   * method that speaks to `clients.group(room.name)` needs a group here.
   */
  readonly room?: string;
  /** Who is in the hub's `all` room, by user id. */
  readonly online?: readonly string[];
}

/** Runs a hook of the hub; rooms are topics. `joined` and `left` change who is present first, as rooms do. */
export interface Hooks {
  connected(): Promise<void>;
  disconnected(error?: Error): Promise<void>;
  joined(userId: string, room: string): Promise<void>;
  left(userId: string, room: string): Promise<void>;
  presenceChanged(room: string): Promise<void>;
}

export interface Called<H extends AnyHub> extends Omit<HubCalls<H>, "send"> {
  /** Everything said so far, in order. */
  readonly sent: readonly Sending[];
  /** The rooms the caller is in by `join`, as topics. */
  readonly joined: readonly string[];
  readonly hooks: Hooks;
  /** The caller cancels, or is gone: aborts the `signal` of every call. */
  stop(): void;
  /** Whether the hub has ended the connection by `abort`. */
  readonly ended: boolean;
}

/**
 * Runs a hub in memory, as one caller.
 *
 * @example
 * const { invoke, sent } = calling(ChatHub, { user: { id: "bob" }, room: "group:lobby" });
 * await invoke.sendToRoom("lobby", "hello");
 * expect(sent).toEqual([{ to: "group:lobby", method: "receiveMessage", args: ["bob", "hello"] }]);
 */
export function calling<C, M extends Record<string, HubMember<C>>>(
  hub: Hub<C, M>,
  setting: Setting<C> = {},
): Called<Hub<C, M>> {
  const world = worldOf(hub as AnyHub, setting as Setting<unknown>);
  return {
    invoke: named((name, args) => invoke(world, name, args)),
    stream: named((name, args) => stream(world, name, args)),
    sent: world.sent,
    joined: world.rooms.joined,
    hooks: hooksOf(world),
    stop: () => world.stopped.abort(),
    get ended() {
      return world.ended.aborted;
    },
  };
}

interface World {
  readonly hub: AnyHub;
  readonly table: Table;
  readonly user: User | null;
  readonly room: Topic;
  readonly rooms: MemoryRooms;
  readonly sent: Sending[];
  readonly messenger: Messenger;
  readonly items: Items;
  readonly stopped: AbortController;
  readonly ended: { aborted: boolean };
}

function worldOf(hub: AnyHub, { user, answers, room, online }: Setting<unknown>): World {
  const sent: Sending[] = [];
  const caller = user === null ? null : userOf(user);
  const attached = parseTopic(room ?? "all");
  return {
    hub,
    table: servedHub(hub),
    user: caller,
    room: attached,
    rooms: memoryRooms(sent, { userId: caller?.id ?? "", attached, online: online ?? [] }),
    sent,
    messenger: recording(hub, sent, answers ?? {}),
    items: memoryItems(),
    stopped: new AbortController(),
    ended: { aborted: false },
  };
}

function memoryItems(): Items {
  const items = new Map<string, unknown>();
  return {
    get: (key) => items.get(key),
    set: (key, value) => void items.set(key, wired(value)),
    delete: (key) => void items.delete(key),
    keys: () => [...items.keys()],
  };
}

const userOf = (given: Partial<User> = {}): User => ({
  id: "alice",
  tenant: "default",
  roles: [],
  claims: {},
  caps: [],
  channels: [],
  expiresAt: Infinity,
  ...given,
});

/** Every string is a name here, as on the wire: whether it is a method is found out by calling it. */
const named = <T extends object>(call: (name: string, args: unknown[]) => unknown): T =>
  new Proxy({} as T, {
    get: (_, name) => (typeof name === "string" ? (...a: unknown[]) => call(name, a) : undefined),
  });

async function invoke(world: World, name: string, args: unknown[]): Promise<unknown> {
  return wired(await handle(world, "method", { name, args, signal: world.stopped.signal }));
}

async function* stream(world: World, name: string, args: unknown[]): AsyncIterable<unknown> {
  const left = new AbortController(); // a reader that stops reading cancels its call, and only that
  const signal = AbortSignal.any([left.signal, world.stopped.signal]);
  try {
    const items = await handle(world, "stream", { name, args, signal });
    for await (const item of items as AsyncIterable<unknown>) yield wired(item);
  } finally {
    left.abort();
  }
}

interface Asked {
  readonly name: string;
  readonly args: readonly unknown[];
  readonly signal: AbortSignal;
}

async function handle(world: World, kind: "method" | "stream", { name, args, signal }: Asked) {
  const streams = new Map<string, AsyncIterable<unknown>>();
  const { member, args: checked } = await prepare(world.table, {
    target: name,
    args: args.map((arg, index) => sentArgument(arg, `${index}`, streams)),
    user: world.user,
    open: (ref) => streams.get(ref.id)!,
  });
  if (member.kind !== kind) throw new HubError("wrong_kind", `${name} is a ${member.kind}.`);
  return member.handle(callContext(world, signal), ...checked);
}

function sentArgument(arg: unknown, id: string, streams: Map<string, AsyncIterable<unknown>>) {
  if (typeof arg !== "object" || arg === null || !(Symbol.asyncIterator in arg)) return wired(arg);
  streams.set(id, arg as AsyncIterable<unknown>);
  return new StreamRef(id);
}

function callContext(world: World, signal: AbortSignal): HubContext<unknown> {
  return {
    connectionId: CALLER,
    user: world.user!, // null only where the policies admit nobody; no transport brings nobody that far
    clients: callerClientsOf(world.messenger, CALLER),
    room: world.room,
    request: undefined,
    items: world.items,
    ...world.rooms.forCaller,
    abort: () => void (world.ended.aborted = true),
    signal,
  };
}

const roomContext = (world: World, room: Topic): RoomContext<unknown> => ({
  clients: clientsOf(world.messenger),
  room,
  ...world.rooms.forAnyone,
});

function hooksOf(world: World): Hooks {
  const { settings } = world.hub;
  return {
    connected: async () => settings.connected?.(callContext(world, world.stopped.signal)),
    disconnected: async (error) =>
      settings.disconnected?.(callContext(world, world.stopped.signal), error),
    joined: async (userId, room) => {
      const topic = parseTopic(room);
      world.rooms.enter(topic, userId);
      await settings.joined?.({ ...roomContext(world, topic), user: { id: userId } });
    },
    left: async (userId, room) => {
      const topic = parseTopic(room);
      world.rooms.leave(topic, userId);
      await settings.left?.({ ...roomContext(world, topic), user: { id: userId } });
    },
    presenceChanged: async (room) =>
      settings.presenceChanged?.(roomContext(world, parseTopic(room))),
  };
}
