// A connection as the application holds it: a hub's calls, what it hears, how it stands.

// For projects that name no such library: AsyncDisposable stands in our declarations.
/// <reference lib="esnext.disposable" preserve="true" />

import { named } from "./named.ts";
import type { AnyHub } from "../dispatch/hub.ts";
import type { ClientOf, HubCalls } from "../dispatch/typed.ts";
import type { HubError } from "../model/errors.ts";
import type { CallOptions } from "./calls.ts";
import type { Handler } from "./handlers.ts";
import type {
  HandlerOf,
  HistoryPage,
  HistoryQuery,
  Message,
  PresenceQuery,
  State,
} from "./options.ts";
import type { Presence, PresencePage } from "./presence.ts";
import type { Session } from "./session.ts";
import type { Listener, Unsubscribe } from "./signal.ts";
import { readable } from "./streams.ts";
import type { Hello } from "./wire.ts";

export interface Connection<H extends AnyHub> extends HubCalls<H>, AsyncDisposable {
  /** The first `$/connected`. Rejects where the connection is closed before it. */
  readonly ready: Promise<Hello>;
  readonly state: State;
  /** Who is in the room, kept up to date. Each change is another object. */
  readonly presence: Presence;
  /** Where it stands in its room, `epoch:offset`. Kept by the application, it resumes there (`since`). */
  readonly position: string | undefined;
  readonly lastError: HubError | undefined;

  /** The same calls, with a key to repeat them under, a signal or a time limit. */
  with(options: CallOptions): HubCalls<H>;
  on<K extends keyof ClientOf<H> & string>(
    method: K,
    handler: HandlerOf<ClientOf<H>[K]>,
  ): Unsubscribe;

  onState(listener: Listener<State>): Unsubscribe;
  /** At every connection, before calls that waited go out. Rooms joined by a call (`joinRoom`) must be joined anew. */
  onConnected(listener: Listener<Hello>): Unsubscribe;
  /** Nothing was missed: `replayed` messages follow. */
  onRecovered(listener: Listener<{ readonly replayed: number }>): Unsubscribe;
  /** Messages of this room may be missing: load its state anew. */
  onReload(listener: Listener<{ readonly room: string }>): Unsubscribe;
  /** Whatever is said, `$/presence` included; each position of the room once, and in order. */
  onMessage(listener: Listener<Message>): Unsubscribe;
  onPresence(listener: Listener<Presence>): Unsubscribe;
  /** What went wrong beside calls: lost connections, tokens that could not be had, frames that were refused. */
  onError(listener: Listener<HubError>): Unsubscribe;

  /** Shows others a state of this user, until it leaves; a return after that shows it again. */
  track(state: unknown): Promise<void>;
  untrack(): Promise<void>;
  history(query?: HistoryQuery): Promise<HistoryPage>;
  presencePage(query?: PresenceQuery): Promise<PresencePage>;
  /** Renews the connection's token by this one, or by a fresh one. Happens by itself where `token` is a function. */
  refresh(token?: string): Promise<{ readonly expiresAt: number }>;
  /** For good. What waits for an answer is rejected with `closed`. */
  close(): void;
}

export function connectionOf<H extends AnyHub>(
  session: Session,
  ready: Promise<Hello>,
): Connection<H> {
  const { events, handlers } = session;
  return {
    ready,
    get state() {
      return session.state;
    },
    get presence() {
      return session.attendance.presence;
    },
    get position() {
      return session.position;
    },
    get lastError() {
      return session.lastError;
    },
    ...callsOf<H>(session, {}),
    with: (options) => callsOf<H>(session, options),
    on: (method, handler) => handlers.on(method, handler as Handler),
    onState: events.state.listen,
    onConnected: events.connected.listen,
    onRecovered: events.recovered.listen,
    onReload: events.reload.listen,
    onMessage: events.message.listen,
    onPresence: events.presence.listen,
    onError: events.error.listen,
    track: (state) => session.attendance.track(state),
    untrack: () => session.attendance.untrack(),
    history: (query = {}) => session.ask("$/history", query) as Promise<HistoryPage>,
    presencePage: (query = {}) => session.ask("$/presence", query) as Promise<PresencePage>,
    refresh: (token) => session.refresh(token),
    close: () => session.close(),
    [Symbol.asyncDispose]: async () => session.close(),
  };
}

function callsOf<H extends AnyHub>({ calls }: Session, options: CallOptions): HubCalls<H> {
  return {
    invoke: named((method, args) => calls.invoke({ method, args, options })),
    send: named((method, args) => void calls.start({ method, args, options })),
    stream: named((method, args) =>
      readable((sink) => calls.start({ method, args, options, isStream: true }, sink)),
    ),
  } as HubCalls<H>;
}
