// A connection as the application holds it: a hub's calls, what it hears, how it stands; of one room, or of a whole hub.

// For projects that name no such library: AsyncDisposable stands in our declarations.
/// <reference lib="esnext.disposable" preserve="true" />

import { named } from "./session/method-proxy.ts";
import type { AnyHub } from "../dispatch/define/hub-definition.ts";
import type { ClientOf, HubCalls } from "../dispatch/define/hub-types.ts";
import { HubError } from "../model/errors.ts";
import type { ClientErrorCode } from "./client-errors.ts";
import type { CallOptions } from "./session/pending-calls.ts";
import { deferred } from "./transport/deferred.ts";
import type { Handler } from "./session/handlers.ts";
import type {
  HandlerOf,
  HistoryPage,
  HistoryQuery,
  Message,
  PresenceQuery,
  State,
} from "./connect-options.ts";
import type { HubPlace, Joined } from "./scope/hub-scope.ts";
import type { Left, Place, Recovered } from "./scope/scope.ts";
import type { Presence, PresencePage } from "./scope/room-presence.ts";
import type { RoomPlace } from "./scope/room-scope.ts";
import type { RoomText } from "./scope/room-address.ts";
import type { Session } from "./session/client-session.ts";
import type { Listener, Unsubscribe } from "./session/emitter.ts";
import { readable } from "./session/server-streams.ts";
import type { Greeting, Hello } from "./transport/wire.ts";

/** What connections of both kinds have. `G` is what `$/connected` says. */
export interface AnyConnection<H extends AnyHub, G extends Greeting>
  extends HubCalls<H>, AsyncDisposable {
  /** The first `$/connected`. Rejects where the connection is closed before it. */
  readonly ready: Promise<G>;
  readonly state: State;
  readonly lastError: HubError | undefined;

  /** The same calls, with a key to repeat them under, a signal or a time limit. */
  with(options: CallOptions): HubCalls<H>;
  on<K extends keyof ClientOf<H> & string>(
    method: K,
    handler: HandlerOf<ClientOf<H>[K]>,
  ): Unsubscribe;

  onState(listener: Listener<State>): Unsubscribe;
  /** At every connection, before calls that waited go out. Rooms joined by a call (`joinRoom`) must be joined anew. */
  onConnected(listener: Listener<G>): Unsubscribe;
  /** Nothing was missed in this room. */
  onRecovered(listener: Listener<Recovered>): Unsubscribe;
  /** Messages of this room may be missing: load its state anew. */
  onReload(listener: Listener<{ readonly room: string }>): Unsubscribe;
  /** A fresh token does not admit this room: it is heard no more, and not joined again. */
  onLeft(listener: Listener<Left>): Unsubscribe;
  /** Whatever is said, `$/presence` included; each position of a room once, and in order. */
  onMessage(listener: Listener<Message>): Unsubscribe;
  /** What went wrong beside calls: lost connections, tokens that could not be had, frames that were refused. */
  onError(listener: Listener<HubError>): Unsubscribe;

  /** Renews the connection's token by this one, or by a fresh one. Happens by itself where `token` is a function. */
  refresh(token?: string): Promise<{ readonly expiresAt: number }>;
  /** For good. What waits for an answer is rejected with `closed`. */
  close(): void;
}

/** To one room. */
export interface Connection<H extends AnyHub> extends AnyConnection<H, Hello> {
  /** Who is in the room, kept up to date. Each change is another object. */
  readonly presence: Presence;
  /** Where it stands in its room, `epoch:offset`. Kept by the application, it resumes there (`since`). */
  readonly position: string | undefined;
  onPresence(listener: Listener<Presence>): Unsubscribe;
  /** Shows others a state of this user, until it leaves; a return after that shows it again. */
  track(state: unknown): Promise<void>;
  untrack(): Promise<void>;
  history(query?: HistoryQuery): Promise<HistoryPage>;
  presencePage(query?: PresenceQuery): Promise<PresencePage>;
}

/** To a whole hub: all its rooms on one socket. */
export interface HubConnection<H extends AnyHub> extends AnyConnection<H, Greeting> {
  /**
   * Joins a room, where the hub's policy lets the client, with what was said there after `since`; joins it again, from
   * where it stands, whenever it comes back. Throws what the hub's policy throws, and `too_many_groups`.
   */
  join(room: RoomText, since?: string): Promise<Joined>;
  leave(room: RoomText): Promise<void>;
  /** Where it stands in a room, `epoch:offset`. */
  positionOf(room: RoomText): string | undefined;
  /** Shows others in the room a state of this user, until it leaves; a return after that shows it again. */
  track(room: RoomText, state: unknown): Promise<void>;
  untrack(room: RoomText): Promise<void>;
  history(room: RoomText, query?: HistoryQuery): Promise<HistoryPage>;
  presencePage(room: RoomText, query?: PresenceQuery): Promise<PresencePage>;
}

export const roomConnectionOf = <H extends AnyHub>(
  session: Session<RoomPlace, Hello>,
): Connection<H> => ({
  ...commonOf<H, Hello>(session),
  get state() {
    return session.state;
  },
  get lastError() {
    return session.lastError;
  },
  get presence() {
    return session.place.attendance.presence;
  },
  get position() {
    return session.place.position;
  },
  onPresence: session.place.presence.listen,
  track: (state) => session.place.attendance.track(state),
  untrack: () => session.place.attendance.untrack(),
  history: (query = {}) => session.ask("$/history", query) as Promise<HistoryPage>,
  presencePage: (query = {}) => session.ask("$/presence", query) as Promise<PresencePage>,
});

export const hubConnectionOf = <H extends AnyHub>(
  session: Session<HubPlace>,
): HubConnection<H> => ({
  ...commonOf<H, Greeting>(session),
  get state() {
    return session.state;
  },
  get lastError() {
    return session.lastError;
  },
  join: (room, since) => session.place.join(room, since),
  leave: (room) => session.place.leave(room),
  positionOf: (room) => session.place.positionOf(room),
  track: (room, state) => session.place.track(room, state),
  untrack: (room) => session.place.track(room, undefined),
  history: (room, query) => session.ask("$/history", { room, ...query }) as Promise<HistoryPage>,
  presencePage: (room, query) =>
    session.ask("$/presence", { room, ...query }) as Promise<PresencePage>,
});

/** Nothing that changes by itself: it is spread. */
function commonOf<H extends AnyHub, G extends Greeting>(session: Session<Place, G>) {
  const { events, handlers } = session;
  return {
    ready: readyOf(session),
    ...callsOf<H>(session, {}),
    with: (options: CallOptions) => callsOf<H>(session, options),
    on: (method: string, handler: unknown) => handlers.on(method, handler as Handler),
    onState: events.state.listen,
    onConnected: events.connected.listen,
    onRecovered: events.recovered.listen,
    onReload: events.reload.listen,
    onLeft: events.left.listen,
    onMessage: events.message.listen,
    onError: events.error.listen,
    refresh: (token?: string) => session.refresh(token),
    close: () => session.close(),
    [Symbol.asyncDispose]: async () => session.close(),
  };
}

function readyOf<G extends Greeting>({ events }: Session<Place, G>): Promise<G> {
  const { promise, resolve, reject } = deferred<G>();
  events.connected.listen(resolve);
  events.state.listen((state) => {
    if (state.status === "closed")
      reject(state.error ?? new HubError<ClientErrorCode>("closed", "The connection was closed."));
  });
  // Who does not wait for it is told by the state.
  promise.catch(() => {});
  return promise;
}

function callsOf<H extends AnyHub>(
  { calls }: Pick<Session, "calls">,
  options: CallOptions,
): HubCalls<H> {
  return {
    invoke: named((method, args) => calls.invoke({ method, args, options })),
    send: named((method, args) => void calls.start({ method, args, options })),
    stream: named((method, args) =>
      readable((sink) => calls.start({ method, args, options, isStream: true }, sink)),
    ),
  } as HubCalls<H>;
}
