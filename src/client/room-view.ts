// One room on the socket of a whole hub, with the same members as a connection of its own: many rooms share one
// WebSocket. Uses only the public members of `HubConnection`. Pages that do not call `roomOf` do not bundle it.

import type { AnyHub } from "../dispatch/define/hub-definition.ts";
import type { PresenceStateOf } from "../dispatch/define/hub-types.ts";
import { HubError } from "../model/errors.ts";
import { canonicalTopic } from "../model/topic.ts";
import { firstGreeting, type Connection, type HubConnection } from "./client-connection.ts";
import type { HandlersOf } from "./model/client-handlers.ts";
import type { HistoryQuery, Message } from "./model/client-messages.ts";
import type { State } from "./model/client-state.ts";
import { isTemporary } from "./model/refusal.ts";
import type { RoomText } from "./model/room-address.ts";
import type { Presence, PresenceChange, PresenceQuery } from "./model/room-presence.ts";
import type { Listener } from "./platform/emitter.ts";
import { RAW } from "./platform/raw.ts";
import { shareLane } from "./read-lane.ts";
import { repeat } from "./repeat.ts";
import type { Joined } from "./scope/hub-scope.ts";
import { ViewedPosition } from "./viewed-position.ts";
import { ViewedPresence } from "./viewed-presence.ts";
import { sessionEvents } from "./session/session-events.ts";
import type { RoomGreeting } from "./transport/wire.ts";

/** Options of `roomOf`. */
export interface RoomViewOptions<H extends AnyHub> {
  /**
   * Position of the application's own state (`epoch:offset`): later messages are replayed. If the hub's connection has
   * received some of them already, for another view, these do not come again, and `onConnected` has `recovered: false`.
   */
  readonly since?: string | undefined;
  readonly handlers?: HandlersOf<H> | undefined;
}

/**
 * Joins a room of the hub's connection. The result is used like a connection to that room: handlers and listeners get
 * the room's messages, and those sent to this client outside of rooms. `close()` leaves the room when its last view
 * closes, and keeps the hub's connection open. A refused join closes the view (`state.error`, `ready`), unless the
 * refusal may pass: then it is repeated, with `onError` each time. Throws `invalid_name` and `room_kind_not_found`.
 *
 * @example
 * const chat = connect<ChatHub>("/hubs/chat", { token });
 * const [lobby, help] = [roomOf(chat, "group:lobby"), roomOf(chat, "group:help")];
 */
export const roomOf = <H extends AnyHub>(
  hub: HubConnection<H>,
  room: RoomText,
  options: RoomViewOptions<H> = {},
): Connection<H, RoomGreeting> => Object.assign(new RoomView(hub, room, options), RAW);

class RoomView<H extends AnyHub> implements Connection<H, RoomGreeting> {
  readonly #hub: HubConnection<H>;
  readonly #room: RoomText;
  readonly #position: ViewedPosition;
  readonly #events = sessionEvents<RoomGreeting>(() => !this.#isClosed);
  readonly #presence: ViewedPresence<H>;
  #subscriptions = new Set<() => void>();
  /** The join under way or done. */
  #joining: Promise<unknown> | undefined;
  #isJoined = false;
  state: State = { status: "connecting" };
  lastError: HubError | undefined;
  readonly ready = firstGreeting(this.#events);
  readonly invoke;
  readonly send;
  readonly stream;
  readonly with;
  readonly onState = this.#events.state.listen;
  readonly onConnected = this.#events.connected.listen;
  readonly onRecovered = this.#events.recovered.listen;
  readonly onReload = this.#events.reload.listen;
  readonly onLeft = this.#events.left.listen;
  readonly onMessage = this.#events.message.listen as Connection<H>["onMessage"];
  readonly onError = this.#events.error.listen;

  constructor(hub: HubConnection<H>, room: RoomText, { since, handlers }: RoomViewOptions<H>) {
    this.#hub = hub;
    this.#room = canonicalTopic(room) as RoomText;
    this.#position = new ViewedPosition(hub, this.#room, since);
    this.#presence = new ViewedPresence(hub, this.#room);
    ({ invoke: this.invoke, send: this.send, stream: this.stream, with: this.with } = hub);
    shareLane(this, hub);
    this.#listen();
    for (const [method, handler] of Object.entries(handlers ?? {}))
      this.on(method as never, handler as never);
    if (hub.state.status === "closed") this.#end(hub.state);
    else void this.#join();
  }

  #listen(): void {
    const hub = this.#hub;
    const here = <T extends { readonly room?: string }>(listener: Listener<T>) => {
      return (event: T): void => void (event.room === this.#room && listener(event));
    };
    this.#subscriptions = new Set([
      hub.onState((state) => this.#onHubState(state)),
      hub.onConnected(() => void (this.#isJoined || this.#joining || this.#join())),
      hub.onRecovered(here((event) => this.#onResumed(event))),
      hub.onReload(here((event) => this.#onReload(event))),
      hub.onLeft(here((left) => this.#onLeft(left))),
      hub.onMessage((message) => this.#onMessage(message)),
      hub.onError((error) => this.#warn(error)),
    ]);
  }

  readonly on: Connection<H>["on"] = (method, handler) => {
    const end = this.#isClosed ? () => {} : this.#hub.on(method, handler, this.#room);
    this.#subscriptions.add(end);
    return () => void (this.#subscriptions.delete(end) && end());
  };

  get presence(): Presence<PresenceStateOf<H>> {
    this.#presence.load();
    return this.#presence.current;
  }

  readonly onPresence: Connection<H>["onPresence"] = (listener) => {
    this.#presence.load();
    return this.#presence.changes.listen(listener);
  };

  get position(): string | undefined {
    return this.#position.current;
  }

  readonly track = async (state: PresenceStateOf<H>): Promise<void> => {
    await this.ready;
    await this.#hub.track(this.#room, state);
  };
  /** Waits like `track`, so that the two stay in order. */
  readonly untrack = (): Promise<void> => this.ready.then(() => this.#hub.untrack(this.#room));
  readonly history = (query?: HistoryQuery) => this.#hub.history(this.#room, query);
  readonly presencePage = (query?: PresenceQuery) => this.#hub.presencePage(this.#room, query);
  readonly refresh = (token?: string) => this.#hub.refresh(token);
  readonly wake = (): void => this.#hub.wake();
  readonly close = (): void => this.#end({ status: "closed" });
  readonly [Symbol.asyncDispose] = async (): Promise<void> => this.close();

  /** The call waits until the hub's connection is open. A join interrupted by a loss is repeated after it. */
  async #join(): Promise<void> {
    const joining = repeat(this.#hub, () => this.#position.join(), {
      isWanted: () => !this.#isClosed,
      // Not after a loss, which the hub's connection has reported itself.
      onRefused: (error) => this.#hub.state.status === "connected" && this.#warn(error),
    });
    this.#joining = joining;
    try {
      const joined = await joining;
      if (!joined) return;
      this.#isJoined = true;
      this.#greet(joined);
    } catch (error) {
      if (!isTemporary(error as HubError))
        this.#end({ status: "closed", error: error as HubError });
    } finally {
      this.#joining = undefined;
    }
  }

  #greet(joined: Joined): void {
    const { state } = this.#hub;
    // If the connection was lost since the answer, it resumes the room by itself. A listener may have closed the view.
    if (state.status !== "connected" || this.#isClosed) return;
    const { connectionId, userId } = state;
    this.#setState(state);
    if (this.#isClosed) return;
    this.#presence.open();
    this.#events.connected.emit({ connectionId, userId, room: this.#room, ...joined });
  }

  get #isClosed(): boolean {
    return this.state.status === "closed";
  }

  #onHubState(state: State): void {
    if (state.status === "closed") return this.#end(state);
    // A view that never was connected is not reconnecting.
    if (state.status !== "connected")
      this.#setState(this.#isJoined ? state : { ...state, status: "connecting" });
  }

  /** Before this view has joined, the event is about other views. */
  #onResumed(event: { readonly room: string; readonly replayed: number }): void {
    if (!this.#isJoined) return;
    this.#events.recovered.emit(event);
    this.#greetAgain(true, event.replayed);
  }

  /** Called after a reconnection with missed messages, or if the room of an open connection has a new log. */
  #onReload(event: { readonly room: string }): void {
    if (!this.#isJoined) return;
    this.#events.reload.emit(event);
    this.#greetAgain(false, 0);
  }

  /** Nothing for a view that is connected: its join may overtake the answer to `$/resume`. */
  #greetAgain(recovered: boolean, replayed: number): void {
    if (this.state.status !== "connected")
      this.#greet({ position: this.position ?? "", recovered, replayed });
  }

  #onLeft(left: { readonly room: string; readonly reason: string }): void {
    this.#isJoined = false;
    this.#events.left.emit(left);
    const error = new HubError<string>(left.reason, `${left.room} does not admit this client.`);
    this.#end({ status: "closed", error });
  }

  #onMessage(message: Message<H>): void {
    if (message.room !== undefined && message.room !== this.#room) return;
    if (message.room) this.#position.receive(message.position);
    if (message.method === "$/presence") this.#presence.apply(message.params[0] as PresenceChange);
    this.#events.message.emit(message as Message);
  }

  #warn(error: HubError): void {
    this.lastError = error;
    this.#events.error.emit(error);
  }

  #setState(state: State): void {
    this.state = state;
    this.#events.state.emit(state);
  }

  #end(state: State & { readonly status: "closed" }): void {
    if (this.#isClosed) return;
    for (const unsubscribe of this.#subscriptions) unsubscribe();
    this.#presence.close();
    this.#setState(state);
    if (state.error) this.#warn(state.error);
    void this.#leave();
  }

  /**
   * Waits for the join, because otherwise the connection would stay in the room. Leaves also a room that only an earlier
   * view has joined.
   */
  async #leave(): Promise<void> {
    const [hub, room] = [this.#hub, this.#room];
    await this.#joining?.catch(() => {});
    const isIn = hub.positionOf(room) !== undefined;
    if (this.#position.count(-1) > 0 || hub.state.status === "closed" || !isIn) return;
    const isWanted = () => this.#position.count(0) === 0;
    // If the connection is lost, the next one does not join the room.
    await repeat(hub, () => hub.leave(room), { isWanted }).catch(() => {});
  }
}
