// Runs one hub in memory, for tests of user code. Calls are found, authorised and validated as in the server; the hub's
// messages are recorded instead of sent. There are no sockets, no Durable Objects, no limits and no filters here.

import { HubError } from "../../model/errors.ts";
import { StreamRef } from "../../model/message.ts";
import { parseTopic, type Topic } from "../../model/topic.ts";
import type { User } from "../../model/user.ts";
import { callerClientsOf, clientsOf, type Messenger } from "../context/call-context.ts";
import type { HubContext, Items, RoomContext } from "../define/hub-context.ts";
import type { Answers, AnyHub, Hub, HubMember } from "../define/hub-definition.ts";
import { prepare } from "../run/admit-call.ts";
import { type Table, servedHub } from "../define/hub-tables.ts";
import { memoryRooms, type MemoryRooms } from "./memory-rooms.ts";
import { CALLER, recordingMessenger, toWire, type Sending } from "./recording.ts";
import type { HubCalls } from "../define/hub-types.ts";

export type { Sending } from "./recording.ts";

/** The circumstances of the calls. */
export interface Setting<C> {
  /** The caller; `null`: no user. Default: `alice` of the tenant `default`, without roles, claims and capabilities. */
  readonly user?: Partial<User> | null;
  /**
   * The result of each client method, valid or not. Default: none; a client method without a result fails with
   * `timed_out`.
   */
  readonly answers?: { readonly [K in keyof Answers<C>]?: unknown };
  /**
   * The room, as a topic, that the connection is attached to and present in. Default: `all`, which has no name: a
   * method that publishes to `clients.group(room.name)` needs a group here.
   */
  readonly room?: string;
  /** User ids in the presence of the hub's `all` room. Default: none. */
  readonly online?: readonly string[];
}

/**
 * Runs the hooks of the hub; a hook that it does not have does nothing. Rooms are topics. `joined` and `left` first
 * change the room's presence, as rooms do. Each rejects with what the hook throws.
 */
export interface Hooks {
  connected(): Promise<void>;
  disconnected(error?: Error): Promise<void>;
  joined(userId: string, room: string): Promise<void>;
  left(userId: string, room: string): Promise<void>;
  presenceChanged(room: string): Promise<void>;
}

/** A hub in memory, as its one caller uses it. */
export interface Called<H extends AnyHub> extends Omit<HubCalls<H>, "send"> {
  /** The messages that the hub has sent so far, in order. The array grows with every call. */
  readonly sent: readonly Sending[];
  /** The rooms that hub code has joined the caller to, as topics. */
  readonly joined: readonly string[];
  readonly hooks: Hooks;
  /** Aborts the `signal` of every call, as when the connection ends. */
  stop(): void;
  /** Whether the hub has closed the connection by `abort`. */
  readonly ended: boolean;
}

/**
 * Runs a hub in memory, as one caller. Calls reject with a `HubError`, such as `forbidden` or `invalid_arguments`, or
 * with any error that the handler throws. Results and items are converted as on the wire.
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
  const state = stateOf(hub as AnyHub, setting as Setting<unknown>);
  return {
    invoke: methodProxy((name, args) => invoke(state, name, args)),
    stream: methodProxy((name, args) => stream(state, name, args)),
    sent: state.sent,
    joined: state.rooms.joined,
    hooks: hooksOf(state),
    stop: () => state.stopped.abort(),
    get ended() {
      return state.ended.aborted;
    },
  };
}

/** The state of one `calling`. */
interface TestState {
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

function stateOf(hub: AnyHub, { user, answers, room, online }: Setting<unknown>): TestState {
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
    messenger: recordingMessenger(hub, sent, answers ?? {}),
    items: memoryItems(),
    stopped: new AbortController(),
    ended: { aborted: false },
  };
}

function memoryItems(): Items {
  const items = new Map<string, unknown>();
  return {
    get: (key) => items.get(key),
    set: (key, value) => void items.set(key, toWire(value)),
    delete: (key) => void items.delete(key),
    keys: () => [...items.keys()],
  };
}

/** The default user, with these members replaced. */
const userOf = (overrides: Partial<User> = {}): User => ({
  id: "alice",
  tenant: "default",
  roles: [],
  claims: {},
  caps: [],
  channels: [],
  expiresAt: Infinity,
  ...overrides,
});

/** A proxy that has every name: calls of unknown methods are refused by the hub, as on the wire. */
const methodProxy = <T extends object>(call: (name: string, args: unknown[]) => unknown): T =>
  new Proxy({} as T, {
    get: (_, name) => (typeof name === "string" ? (...a: unknown[]) => call(name, a) : undefined),
  });

async function invoke(state: TestState, name: string, args: unknown[]): Promise<unknown> {
  return toWire(await handle(state, "method", { name, args, signal: state.stopped.signal }));
}

async function* stream(state: TestState, name: string, args: unknown[]): AsyncIterable<unknown> {
  // A reader that stops early cancels its own call, and no other.
  const readerStopped = new AbortController();
  const signal = AbortSignal.any([readerStopped.signal, state.stopped.signal]);
  try {
    const items = await handle(state, "stream", { name, args, signal });
    for await (const item of items as AsyncIterable<unknown>) yield toWire(item);
  } finally {
    readerStopped.abort();
  }
}

interface TestCall {
  readonly name: string;
  readonly args: readonly unknown[];
  readonly signal: AbortSignal;
}

/** Finds, authorises and validates as the server does, then runs the handler without filters. */
async function handle(
  state: TestState,
  kind: "method" | "stream",
  { name, args, signal }: TestCall,
) {
  const streams = new Map<string, AsyncIterable<unknown>>();
  const { member, args: checked } = await prepare(state.table, {
    target: name,
    args: args.map((arg, index) => sentArgument(arg, `${index}`, streams)),
    user: state.user,
    open: (ref) => streams.get(ref.id)!,
  });
  if (member.kind !== kind) throw new HubError("wrong_kind", `${name} is a ${member.kind}.`);
  return member.handle(callContext(state, signal), ...checked);
}

/** The argument as the server receives it. An async iterable is registered as a stream with this id. */
function sentArgument(arg: unknown, id: string, streams: Map<string, AsyncIterable<unknown>>) {
  if (typeof arg !== "object" || arg === null || !(Symbol.asyncIterator in arg)) return toWire(arg);
  streams.set(id, arg as AsyncIterable<unknown>);
  return new StreamRef(id);
}

function callContext(state: TestState, signal: AbortSignal): HubContext<unknown> {
  return {
    connectionId: CALLER,
    // Null only in a test with `user: null` whose policies allow calls without a user, which no transport permits.
    user: state.user!,
    clients: callerClientsOf(state.messenger, CALLER),
    room: state.room,
    request: undefined,
    items: state.items,
    ...state.rooms.forCaller,
    abort: () => void (state.ended.aborted = true),
    signal,
  };
}

const roomContext = (state: TestState, room: Topic): RoomContext<unknown> => ({
  clients: clientsOf(state.messenger),
  room,
  ...state.rooms.forHooks,
});

function hooksOf(state: TestState): Hooks {
  const { settings } = state.hub;
  return {
    connected: async () => settings.connected?.(callContext(state, state.stopped.signal)),
    disconnected: async (error) =>
      settings.disconnected?.(callContext(state, state.stopped.signal), error),
    joined: async (userId, room) => {
      const topic = parseTopic(room);
      state.rooms.enter(topic, userId);
      await settings.joined?.({ ...roomContext(state, topic), user: { id: userId } });
    },
    left: async (userId, room) => {
      const topic = parseTopic(room);
      state.rooms.leave(topic, userId);
      await settings.left?.({ ...roomContext(state, topic), user: { id: userId } });
    },
    presenceChanged: async (room) =>
      settings.presenceChanged?.(roomContext(state, parseTopic(room))),
  };
}
