// A room of a hub in a component: its calls, its state, and what is heard there.

import { useEffect, useLayoutEffect, useMemo, useRef, type RefObject } from "react";
import type {
  Connection,
  HandlerOf,
  HandlersOf,
  HubError,
  Message,
  State,
  Unsubscribe,
} from "../client/index.ts";
import type { AnyHub } from "../dispatch/define/hub-definition.ts";
import type { ClientOf } from "../dispatch/define/hub-types.ts";
import type { HubAt } from "./hub-at.ts";
import { callsIn, type RoomCalls } from "./room-calls.ts";
import { useLive, type Live, type Place } from "./use-live.ts";

/** Functions may be other ones at every render: the newest is called, and nothing reconnects. */
export interface UseHubOptions<H extends AnyHub> {
  /** Another room is another connection; none (undefined, null) is no connection. */
  readonly room: Place<H>["room"];
  /** What the hub may call here. */
  readonly handlers?: HandlersOf<H>;
  /** Where the component's own state stands (`epoch:offset`). Counts for the first component in a room. */
  readonly since?: string;
  /** At every connection, and at once where there is one: the place for calls that join other rooms. */
  readonly onConnected?: (connection: Connection<H>) => void;
  /** Messages of this room may be missing: load its state anew. */
  readonly onReload?: (reload: { readonly room: string }) => void;
  readonly onMessage?: (message: Message) => void;
  readonly onError?: (error: HubError) => void;
}

/** The same object, with the same calls, until the room or the state changes. */
export interface HubRoom<H extends AnyHub> extends RoomCalls<H> {
  readonly state: State;
}

const CONNECTING: State = { status: "connecting" };
const NOWHERE: State = { status: "closed" };

const STATE: Live<State> = {
  listen: (connection, changed) => connection.onState(changed),
  read: (connection) => connection.state,
  none: CONNECTING,
};

/**
 * Joins a room for as long as the component is there. Components in one room share one connection.
 *
 * @example
 * const chat = useHub(Chat, { room: "group:lobby", handlers: { receiveMessage: (user, text) => add(user, text) } });
 * return <button onClick={() => chat.invoke.sendToRoom("lobby", "hello")}>{chat.state.status}</button>;
 */
export function useHub<H extends AnyHub>(hub: HubAt<H>, options: UseHubOptions<H>): HubRoom<H> {
  const { room } = options;
  const latest = useLatest(options);
  const methods = Object.keys(options.handlers ?? {}).toSorted();
  const holding = { hub, room, latest };
  useHolding(holding, (connection) => handle(connection, methods, latest), methods.join());
  useHolding(holding, (connection) => watch(connection, latest));
  const state = useLive({ hub, room }, STATE);
  const calls = useMemo(() => callsIn({ hub, room }), [hub, room]);
  return useMemo(() => ({ ...calls, state: room ? state : NOWHERE }), [calls, room, state]);
}

type Latest<H extends AnyHub> = RefObject<UseHubOptions<H>>;

function useLatest<T>(value: T): RefObject<T> {
  const latest = useRef(value);
  useLayoutEffect(() => void (latest.current = value));
  return latest;
}

/** `attach` counts when the place changes, or the key. */
function useHolding<H extends AnyHub>(
  { hub, room, latest }: Place<H> & { readonly latest: Latest<H> },
  attach: (connection: Connection<H>) => readonly Unsubscribe[],
  key?: string,
): void {
  useEffect(() => {
    if (!room) return undefined;
    const { connection, release } = hub.hold(room, latest.current.since);
    const attached = attach(connection);
    return () => {
      for (const detach of attached) detach();
      release();
    };
  }, [hub, room, latest, key]);
}

function handle<H extends AnyHub>(
  connection: Connection<H>,
  methods: readonly string[],
  latest: Latest<H>,
): Unsubscribe[] {
  return methods.map((method) => {
    const newest = (...args: unknown[]): unknown => {
      const handlers = latest.current.handlers as Record<string, Handler | undefined> | undefined;
      return handlers?.[method]?.(...args);
    };
    return connection.on(method as Method<H>, newest as HandlerOf<ClientOf<H>[Method<H>]>);
  });
}

type Handler = (...args: unknown[]) => unknown;
type Method<H> = keyof ClientOf<H> & string;

function watch<H extends AnyHub>(connection: Connection<H>, latest: Latest<H>): Unsubscribe[] {
  const connected = (): void => latest.current.onConnected?.(connection);
  const watched = [
    connection.onConnected(connected),
    connection.onReload((reload) => latest.current.onReload?.(reload)),
    connection.onMessage((message) => latest.current.onMessage?.(message)),
    connection.onError((error) => latest.current.onError?.(error)),
  ];
  if (connection.state.status === "connected") connected();
  return watched;
}
