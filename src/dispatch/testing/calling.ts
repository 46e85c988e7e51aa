// Runs one hub in memory, for tests of user code. Calls are found, authorised and validated as in the server; the hub's
// messages are recorded instead of sent. There are no sockets, no Durable Objects, no limits and no filters here.

import { callProxy } from "../../model/audiences.ts";
import { HubError } from "../../model/errors.ts";
import { StreamRef } from "../../model/message.ts";
import { freezeDeep } from "../../model/plain-json.ts";
import { parseTopic, type Topic } from "../../model/topic.ts";
import { toResultJson } from "../../protocols/json.ts";
import type { User } from "../../model/user.ts";
import { callerClientsOf, clientsOf } from "../context/call-context.ts";
import type { Failures, Messenger } from "../context/messenger.ts";
import type { HubContext, Items, RoomContext } from "../define/hub-context.ts";
import type { AnyHub } from "../define/hub-definition.ts";
import type { ClientOf } from "../define/hub-types.ts";
import type { Called, Hooks, Setting } from "./calling-types.ts";
import type { Awaitable } from "../define/policies.ts";
import type { Runtime } from "../define/runtime.ts";
import { EXACT_NAMES } from "../define/bind-value.ts";
import { prepare } from "../run/admit-call.ts";
import { oneResult } from "../define/one-result.ts";
import { resultCheckOf } from "../define/outgoing-check.ts";
import { type Table, servedHub } from "../define/hub-tables.ts";
import { userOf } from "./default-user.ts";
import { memoryRooms, type MemoryRooms } from "./memory-rooms.ts";
import { CALLER, recordingMessenger, recordingRuntime, toWire, type Sending } from "./recording.ts";

/**
 * Runs a hub in memory, as one caller. Calls reject with a `HubError`, such as `forbidden` or `invalid_arguments`, or
 * with any error that the handler throws. Results and items are converted as on the wire.
 *
 * @example
 * const { invoke, sent } = calling(ChatHub, { user: { id: "bob" }, room: "group:lobby" });
 * await invoke.sendToRoom("lobby", "hello");
 * expect(sent).toEqual([{ to: "group:lobby", method: "receiveMessage", args: ["bob", "hello"] }]);
 */
export function calling<H extends AnyHub>(hub: H, setting: Setting<ClientOf<H>> = {}): Called<H> {
  const state = stateOf(hub, setting as Setting<unknown>);
  return {
    // Calls of unknown methods are refused by the hub, as on the wire.
    invoke: callProxy((name, args) => invoke(state, name, args)) as Called<H>["invoke"],
    stream: callProxy((name, args) => stream(state, name, args)) as Called<H>["stream"],
    sent: state.sent,
    joined: state.rooms.joined,
    hooks: hooksOf(state),
    background: state.background,
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
  /** For one run of hub code: what it could not send is in `failures`. */
  messengerOf(failures: Failures): Messenger;
  readonly items: Items;
  readonly background: Promise<unknown>[];
  readonly runtime: Runtime;
  readonly stopped: AbortController;
  readonly ended: { aborted: boolean };
}

function stateOf(hub: AnyHub, setting: Setting<unknown>): TestState {
  const { user, answers, room, online, env } = setting;
  const sent: Sending[] = [];
  const background: Promise<unknown>[] = [];
  const caller = user === null ? null : userOf(user);
  const attached = freezeDeep(parseTopic(room ?? "all"));
  return {
    hub,
    table: servedHub(hub),
    user: caller,
    room: attached,
    rooms: memoryRooms(sent, { userId: caller?.id ?? "", attached, online: online ?? [] }),
    sent,
    messengerOf: (failures) => recordingMessenger({ hub, sent, answers: answers ?? {} }, failures),
    items: memoryItems(),
    background,
    runtime: recordingRuntime(env ?? {}, background),
    stopped: new AbortController(),
    ended: { aborted: false },
  };
}

function memoryItems(): Items {
  const items = new Map<string, unknown>();
  return {
    get: (key) => toWire(items.get(key)),
    set: (key, value) => void items.set(key, toWire(value)),
    delete: (key) => void items.delete(key),
    keys: () => [...items.keys()],
  };
}

async function invoke(state: TestState, name: string, args: unknown[]): Promise<unknown> {
  const { signal } = state.stopped;
  const result = await running(state, (messenger) =>
    handle(state, "method", { name, args, signal, messenger }),
  );
  return sentResult(state, name, oneResult(name, result));
}

/** Runs hub code, and rejects with what it could not send: also where it has not waited for that. */
async function running<T>(
  state: TestState,
  run: (messenger: Messenger) => Awaitable<T>,
): Promise<T> {
  const failures = new Set<Promise<unknown>>();
  const result = await run(state.messengerOf(failures));
  await Promise.all(failures);
  return result;
}

async function* stream(state: TestState, name: string, args: unknown[]): AsyncIterable<unknown> {
  // A reader that stops early cancels its own call, and no other.
  const readerStopped = new AbortController();
  const signal = AbortSignal.any([readerStopped.signal, state.stopped.signal]);
  const failures = new Set<Promise<unknown>>();
  const messenger = state.messengerOf(failures);
  try {
    const items = await handle(state, "stream", { name, args, signal, messenger });
    for await (const item of items as AsyncIterable<unknown>) yield sentResult(state, name, item);
    await Promise.all(failures);
  } finally {
    readerStopped.abort();
  }
}

/** The result or item as callers get it. Throws `invalid_result`, as in development, and a TypeError if it is no JSON. */
function sentResult({ hub, table }: TestState, name: string, result: unknown): unknown {
  const check = resultCheckOf({ hub, isTested: true }, table.members.get(name)!, { env: {}, name });
  check?.(result);
  toResultJson(result);
  return toWire(result);
}

interface TestCall {
  readonly name: string;
  readonly args: readonly unknown[];
  readonly signal: AbortSignal;
  readonly messenger: Messenger;
}

/** Finds, authorises and validates as the server does, then runs the handler without filters. */
async function handle(
  state: TestState,
  kind: "method" | "stream",
  { name, args, signal, messenger }: TestCall,
) {
  const streams = new Map<string, AsyncIterable<unknown>>();
  const { member, args: checked } = await prepare(state.table, {
    target: name,
    args: args.map((arg, index) => sentArgument(arg, `${index}`, streams)),
    user: state.user,
    runtime: state.runtime,
    open: (ref) => streams.get(ref.id)!,
    binder: EXACT_NAMES,
  });
  if (member.kind !== kind) throw new HubError("wrong_kind", `${name} is a ${member.kind}.`);
  return member.handle(callContext(state, { signal, messenger }), ...checked);
}

/** The argument that the server receives. An async iterable is registered as a stream with this id. */
function sentArgument(arg: unknown, id: string, streams: Map<string, AsyncIterable<unknown>>) {
  if (typeof arg !== "object" || arg === null || !(Symbol.asyncIterator in arg)) return toWire(arg);
  streams.set(id, arg as AsyncIterable<unknown>);
  return new StreamRef(id);
}

/** Members are inherited: a copy of the context (`{ ...context }`) has none, as in the server, where they are getters. */
function callContext(
  state: TestState,
  { signal, messenger }: Pick<TestCall, "signal" | "messenger">,
): HubContext<unknown> {
  const members: HubContext<unknown> = {
    ...state.runtime,
    connectionId: CALLER,
    // Null only in a test with `user: null` whose policies allow calls without a user, which no transport permits.
    user: state.user!,
    clients: callerClientsOf(messenger, CALLER),
    room: state.room,
    request: undefined,
    trace: undefined,
    items: state.items,
    ...state.rooms.forCaller,
    abort: () => void (state.ended.aborted = true),
    signal,
  };
  return Object.create(members) as HubContext<unknown>;
}

interface TestHook {
  readonly room: Topic;
  readonly messenger: Messenger;
}

const roomContext = (state: TestState, { room, messenger }: TestHook): RoomContext<unknown> => ({
  ...state.runtime,
  clients: clientsOf(messenger),
  room: freezeDeep(room),
  ...state.rooms.forHooks,
});

function hooksOf(state: TestState): Hooks {
  const { settings } = state.hub;
  const { signal } = state.stopped;
  const membership =
    (hook: "joined" | "left", change: "enter" | "leave") => async (id: string, name: string) => {
      const room = parseTopic(name);
      state.rooms[change](room, id);
      await running(state, (messenger) => {
        const context = roomContext(state, { room, messenger });
        return settings[hook]?.({ ...context, user: { id }, trace: undefined });
      });
    };
  return {
    connected: () =>
      running(state, (messenger) =>
        settings.connected?.(callContext(state, { signal, messenger })),
      ),
    disconnected: (error) =>
      running(state, (messenger) =>
        settings.disconnected?.(callContext(state, { signal, messenger }), error),
      ),
    joined: membership("joined", "enter"),
    left: membership("left", "leave"),
    presenceChanged: async (name) => {
      const room = parseTopic(name);
      await running(state, (messenger) =>
        settings.presenceChanged?.(roomContext(state, { room, messenger })),
      );
    },
  };
}
