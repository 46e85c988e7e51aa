// The connection objects that the application gets: of one room, and of a whole hub.

// Declares AsyncDisposable in our type declarations, for projects whose `lib` does not include it.
/// <reference lib="esnext.disposable" preserve="true" />

import type { AnyHub } from "../dispatch/define/hub-definition.ts";
import type { ClientOf, HubCalls, PresenceStateOf } from "../dispatch/define/hub-types.ts";
import type { HubError } from "../model/errors.ts";
import type { HandlerOf } from "./model/client-handlers.ts";
import type { HistoryPage, HistoryQuery, Message } from "./model/client-messages.ts";
import type { State } from "./model/client-state.ts";
import { canonicalTopic } from "../model/topic.ts";
import { closedError } from "./model/close-error.ts";
import type { RoomText } from "./model/room-address.ts";
import type { Presence, PresencePage, PresenceQuery } from "./model/room-presence.ts";
import { deferred } from "./platform/deferred.ts";
import type { Listener, Unsubscribe } from "./platform/emitter.ts";
import { callProxy } from "../model/audiences.ts";
import type { HubScope, Joined } from "./scope/hub-scope.ts";
import type { RoomScope } from "./scope/room-scope.ts";
import type { Left, Recovered, Scope } from "./scope/scope.ts";
import type { Session } from "./session/client-session.ts";
import type { Handler } from "./session/handlers.ts";
import type { CallOptions } from "./session/pending-calls.ts";
import { iterableOf } from "./session/server-streams.ts";
import type { Greeting, Hello, RoomGreeting } from "./transport/wire.ts";
import type { SessionEvents } from "./session/session-events.ts";

/**
 * The members common to both kinds of connection. `G` is the type of the server's greeting. Listeners run
 * synchronously, in the order of subscription; an error in one is logged and does not reach the others.
 */
export interface AnyConnection<H extends AnyHub, G> extends HubCalls<H>, AsyncDisposable {
  /** The first greeting. Rejects if the connection closes before it, with the reason or with `closed`. */
  readonly ready: Promise<G>;
  /** The status of the connection. The state of a room is `room.state` of `dormouse-hubs/state`. */
  readonly state: State;
  /** The newest error of `onError`. It remains after a reconnection. */
  readonly lastError: HubError | undefined;

  /** The hub's calls with an idempotency key, an abort signal or a time limit. */
  with(options: CallOptions): HubCalls<H>;
  /**
   * Adds a handler. A hub call that expects a result gets it from the method's first handler. With a `room`, messages
   * of other rooms do not reach the handler.
   */
  on<K extends keyof ClientOf<H> & string>(
    method: K,
    handler: HandlerOf<ClientOf<H>[K]>,
    room?: RoomText,
  ): Unsubscribe;

  /** Every change of `state`. The current state is not emitted on subscription. */
  onState(listener: Listener<State>): Unsubscribe;
  /**
   * The greeting of every connection, before waiting calls are sent. Memberships by a call of the hub (`joinRoom`) end
   * with their connection: join those rooms again in this listener.
   */
  onConnected(listener: Listener<G>): Unsubscribe;
  /** A reconnection missed no message of this room: all of them are replayed. */
  onRecovered(listener: Listener<Recovered>): Unsubscribe;
  /** Messages of this room may be missing: the application has to load its state again. */
  onReload(listener: Listener<{ readonly room: string }>): Unsubscribe;
  /**
   * The client was removed from a room, because a fresh token, or a reconnection, no longer admits it: no more messages
   * of the room arrive, and it is not joined again.
   */
  onLeft(listener: Listener<Left>): Unsubscribe;
  /**
   * Every message, `$/presence` included, after the handlers of its method. Messages of one room arrive in order, and
   * each position once, replays included.
   */
  onMessage(listener: Listener<Message<H>>): Unsubscribe;
  /** Errors outside of calls: lost connections, failed attempts, tokens that could not be fetched, malformed frames. */
  onError(listener: Listener<HubError>): Unsubscribe;

  /**
   * Renews the connection's token: with the argument, or with a fresh one of the application's token function.
   * `expiresAt` is the expiry as the server reads it. Happens automatically if the option `token` is a function.
   */
  refresh(token?: string): Promise<{ readonly expiresAt: number }>;
  /**
   * To be called when the app or the network may be back: the next attempt starts at once, and an open connection is
   * tested. Browsers do this automatically; in React Native call it on changes of `AppState` and `NetInfo`.
   */
  wake(): void;
  /** Final. Queued messages are sent first; calls without a response reject with `closed`. */
  close(): void;
}

/** A connection to one room. */
export interface Connection<H extends AnyHub, G extends RoomGreeting = Hello> extends AnyConnection<
  H,
  G
> {
  /** The users in the room, kept up to date. An immutable object, replaced with every change. */
  readonly presence: Presence<PresenceStateOf<H>>;
  /**
   * Position in the room, `epoch:offset`: the newest message received. An application that stores it can resume there
   * later, with the option `since`.
   */
  readonly position: string | undefined;
  /** Every change of `presence`. */
  onPresence(listener: Listener<Presence<PresenceStateOf<H>>>): Unsubscribe;
  /** Sets the state that others see of this user. The server drops it when the user leaves; a return restores it. */
  track(state: PresenceStateOf<H>): Promise<void>;
  /** Sets the state to null. */
  untrack(): Promise<void>;
  /** Rejects with `forbidden` without the right to read the history, and with `history_gone` for an old `since`. */
  history(query?: HistoryQuery): Promise<HistoryPage<H>>;
  /** Reads a page of the users, for rooms whose `presence` has `more`. Rejects with `forbidden`. */
  presencePage(query?: PresenceQuery): Promise<PresencePage<PresenceStateOf<H>>>;
}

/** A connection to a whole hub: all its rooms on one socket. */
export interface HubConnection<H extends AnyHub> extends AnyConnection<H, Greeting> {
  /**
   * Joins a room, and replays the messages after `since`. Every reconnection joins the room again, from the last
   * position. A room that is joined already goes on from its position if there is no `since`. Rejects with the errors of
   * the hub's policy, with `too_many_groups`, and with `cancelled` if the room is left while this waits for a connection.
   */
  join(room: RoomText, since?: string): Promise<Joined>;
  /** Resolves at once while disconnected: the next connection does not join the room. */
  leave(room: RoomText): Promise<void>;
  /** Position in a room, `epoch:offset`. Undefined if the room is not joined and none of its messages was received. */
  positionOf(room: RoomText): string | undefined;
  /**
   * Sets the state that others in the room see of this user. It is restored after a reconnection, if the room was
   * joined before (`await join`).
   */
  track(room: RoomText, state: PresenceStateOf<H>): Promise<void>;
  /** Sets the state to null. */
  untrack(room: RoomText): Promise<void>;
  history(room: RoomText, query?: HistoryQuery): Promise<HistoryPage<H>>;
  presencePage(room: RoomText, query?: PresenceQuery): Promise<PresencePage<PresenceStateOf<H>>>;
}

export const roomConnectionOf = <H extends AnyHub>(
  session: Session<RoomScope, Hello>,
): Connection<H> => ({
  ...commonOf<H, Hello>(session),
  get state() {
    return session.state;
  },
  get lastError() {
    return session.lastError;
  },
  get presence() {
    return session.scope.presence.current as Presence<PresenceStateOf<H>>;
  },
  get position() {
    return session.scope.position;
  },
  onPresence: session.scope.presence.changes.listen as Connection<H>["onPresence"],
  track: (state) => session.scope.presence.track(state),
  untrack: () => session.scope.presence.track(),
  history: (query = {}) => session.call("$/history", query) as Promise<HistoryPage<H>>,
  presencePage: (query = {}) =>
    session.call("$/presence", query) as Promise<PresencePage<PresenceStateOf<H>>>,
});

export const hubConnectionOf = <H extends AnyHub>(
  session: Session<HubScope>,
): HubConnection<H> => ({
  ...commonOf<H, Greeting>(session),
  get state() {
    return session.state;
  },
  get lastError() {
    return session.lastError;
  },
  join: (room, since) => session.scope.join(room, since),
  leave: (room) => session.scope.leave(room),
  positionOf: (room) => session.scope.positionOf(room),
  track: (room, state) => session.scope.track(room, state),
  untrack: (room) => session.scope.track(room),
  history: (room, query) =>
    session.call("$/history", { room, ...query }) as Promise<HistoryPage<H>>,
  presencePage: (room, query) =>
    session.call("$/presence", { room, ...query }) as Promise<PresencePage<PresenceStateOf<H>>>,
});

/** The members that both kinds of connection share. Without getters: the callers spread it, which would freeze them. */
function commonOf<H extends AnyHub, G extends Greeting>(session: Session<Scope, G>) {
  const { events, handlers } = session;
  return {
    ready: firstGreeting(events),
    ...callsOf<H>(session, {}),
    with: (options: CallOptions) => callsOf<H>(session, options),
    on: (method: string, handler: unknown, room?: RoomText) =>
      handlers.on(method, handler as Handler, room && canonicalTopic(room)),
    onState: events.state.listen,
    onConnected: events.connected.listen,
    onRecovered: events.recovered.listen,
    onReload: events.reload.listen,
    onLeft: events.left.listen,
    onMessage: events.message.listen as AnyConnection<H, G>["onMessage"],
    onError: events.error.listen,
    refresh: (token?: string) => session.refresh(token),
    wake: () => session.wake(),
    close: () => session.close(),
    [Symbol.asyncDispose]: async () => session.close(),
  };
}

/** The first greeting of a session's events. Rejects if they end before it. */
export function firstGreeting<G>(events: SessionEvents<G>): Promise<G> {
  const { promise, resolve, reject } = deferred<G>();
  events.connected.listen(resolve);
  events.state.listen((state) => {
    if (state.status === "closed") reject(state.error ?? closedError());
  });
  // No unhandled rejection for an application that does not await it: that gets the error by `onState`.
  promise.catch(() => {});
  return promise;
}

function callsOf<H extends AnyHub>(
  { calls }: Pick<Session, "calls">,
  options: CallOptions,
): HubCalls<H> {
  return {
    invoke: callProxy((method, args) => calls.invoke({ method, args, options })),
    send: callProxy((method, args) => void calls.start({ method, args, options })),
    stream: callProxy((method, args) =>
      iterableOf((observer) => calls.start({ method, args, options, isStream: true }, observer)),
    ),
  } as HubCalls<H>;
}
