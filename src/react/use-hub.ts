// `useHub`: a room of a hub in a component, with its calls, its state and its messages.

import { useEffect, useLayoutEffect, useMemo, useRef, type RefObject } from "react";
import type {
  HandlerOf,
  HandlersOf,
  HubError,
  Message,
  State,
  Unsubscribe,
} from "../client/index.ts";
import type { HubAt, RoomConnection } from "../components/hub-at.ts";
import { STATE, type RoomReference } from "../components/live-values.ts";
import { callsIn, type RoomCalls } from "../components/room-calls.ts";
import type { AnyHub } from "../dispatch/define/hub-definition.ts";
import type { ClientOf } from "../dispatch/define/hub-types.ts";
import { useLive } from "./use-live.ts";

/** Functions may change in every render: the functions of the latest render are called, without a reconnection. */
export interface UseHubOptions<H extends AnyHub> {
  /** A change of the room changes the connection. Undefined or null: no connection. */
  readonly room: RoomReference<H>["room"];
  /** Handlers of the hub's client methods. */
  readonly handlers?: HandlersOf<H> | undefined;
  /**
   * Position of the component's own state (`epoch:offset`). Only the first component that opens a room sets it. React
   * mounts children before their parent: a child that shows the room's presence or history opens it without a position.
   */
  readonly since?: string | undefined;
  /**
   * Called after every greeting, and at once if the connection is open: join further rooms by calls here.
   */
  readonly onConnected?: ((connection: RoomConnection<H>) => void) | undefined;
  /** Messages of this room may be missing: the component has to load its state again. */
  readonly onReload?: ((reload: { readonly room: string }) => void) | undefined;
  /** Every message, as in `Connection.onMessage`. */
  readonly onMessage?: ((message: Message<H>) => void) | undefined;
  /** Errors outside of calls, as in `Connection.onError`. */
  readonly onError?: ((error: HubError) => void) | undefined;
}

/** The same object, with the same functions, until the room or the state changes. */
export interface HubRoom<H extends AnyHub> extends RoomCalls<H> {
  readonly state: State;
}

/**
 * Connects to a room for as long as the component is mounted. Components in the same room share one connection. Without
 * a room the state is `closed`.
 *
 * @example
 * const chat = useHub(Chat, { room: "group:lobby", handlers: { receiveMessage: (user, text) => add(user, text) } });
 * return <button onClick={() => chat.invoke.sendToRoom("lobby", "hello")}>{chat.state.status}</button>;
 */
export function useHub<H extends AnyHub>(hub: HubAt<H>, options: UseHubOptions<H>): HubRoom<H> {
  const { room } = options;
  const latest = useLatest(options);
  const handlers = Object.entries(options.handlers ?? {});
  const methods = handlers.flatMap(([method, handler]) => (handler ? method : [])).toSorted();
  const target = { hub, room, latest };
  useConnection(target, (connection) => addHandlers(connection, methods, latest), methods.join());
  useConnection(target, (connection) => addListeners(connection, latest));
  const state = useLive({ hub, room }, STATE);
  const calls = useMemo(() => callsIn({ hub, room }), [hub, room]);
  return useMemo(() => ({ ...calls, state }), [calls, state]);
}

type LatestOptions<H extends AnyHub> = RefObject<UseHubOptions<H>>;

/** React 18 warns of a layout effect that is rendered on a server. */
const useCommitEffect = "window" in globalThis ? useLayoutEffect : useEffect;

function useLatest<T>(value: T): RefObject<T> {
  const latest = useRef(value);
  useCommitEffect(() => void (latest.current = value));
  return latest;
}

/**
 * Holds the room's connection while mounted, with the subscriptions that `attach` makes. They are made again when the
 * room or `key` changes, but not for a new `attach` function.
 */
function useConnection<H extends AnyHub>(
  { hub, room, latest }: RoomReference<H> & { readonly latest: LatestOptions<H> },
  attach: (connection: RoomConnection<H>) => readonly Unsubscribe[],
  key?: string,
): void {
  useEffect(() => {
    if (!room) return undefined;
    const { connection, release } = hub.hold(room, latest.current.since);
    const subscriptions = attach(connection);
    return () => {
      for (const unsubscribe of subscriptions) unsubscribe();
      release();
    };
  }, [hub, room, latest, key]);
}

function addHandlers<H extends AnyHub>(
  connection: RoomConnection<H>,
  methods: readonly string[],
  latest: LatestOptions<H>,
): Unsubscribe[] {
  return methods.map((method) => {
    const handler = (...args: unknown[]): unknown => {
      const handlers = latest.current.handlers as Record<string, Handler | undefined> | undefined;
      return handlers?.[method]?.(...args);
    };
    return connection.on(method as Method<H>, handler as HandlerOf<ClientOf<H>[Method<H>]>);
  });
}

type Handler = (...args: unknown[]) => unknown;
type Method<H> = keyof ClientOf<H> & string;

function addListeners<H extends AnyHub>(
  connection: RoomConnection<H>,
  latest: LatestOptions<H>,
): Unsubscribe[] {
  const onConnected = (): void => latest.current.onConnected?.(connection);
  const subscriptions = [
    connection.onConnected(onConnected),
    connection.onReload((reload) => latest.current.onReload?.(reload)),
    connection.onMessage((message) => latest.current.onMessage?.(message)),
    connection.onError((error) => latest.current.onError?.(error)),
  ];
  if (connection.state.status === "connected") onConnected();
  return subscriptions;
}
