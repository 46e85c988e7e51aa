// What goes on behind a connection: frames go to whom they belong, and whatever lives as long as a socket begins and
// ends with it.

import { HubError } from "../model/errors.ts";
import { DEFAULTS as ROOM, PING } from "../model/options.ts";
import { Attendance } from "./attendance.ts";
import { Calls } from "./calls.ts";
import { Credentials } from "./credentials.ts";
import { Handlers } from "./handlers.ts";
import { Heartbeat } from "./heartbeat.ts";
import { Link } from "./link.ts";
import type { Message, SessionOptions, State } from "./options.ts";
import { Outbox } from "./outbox.ts";
import type { Presence, PresenceChange } from "./presence.ts";
import { Resume } from "./resume.ts";
import { signal } from "./signal.ts";
import { errorOf, framesIn, type Frame, type Hello } from "./wire.ts";

const events = () => ({
  state: signal<State>(),
  connected: signal<Hello>(),
  recovered: signal<{ readonly replayed: number }>(),
  reload: signal<{ readonly room: string }>(),
  message: signal<Message>(),
  presence: signal<Presence>(),
  error: signal<HubError>(),
});

export class Session {
  readonly #link: Link;
  readonly #resume: Resume;
  readonly #outbox: Outbox;
  readonly #heartbeat: Heartbeat;
  readonly #credentials: Credentials;
  readonly calls: Calls;
  readonly handlers: Handlers;
  readonly attendance: Attendance;
  readonly events = events();
  state: State = { status: "connecting" };
  lastError: HubError | undefined;
  #wasConnected = false;

  constructor(options: SessionOptions) {
    this.handlers = new Handlers(options.handlers);
    this.#resume = new Resume(options.since);
    this.#link = this.#newLink(options);
    this.#outbox = new Outbox((frame) => this.#link.send(frame));
    this.#heartbeat = new Heartbeat({
      now: Date.now,
      ping: () => this.#link.send(PING),
      dead: () => this.#link.drop(new HubError("silent", "The server has fallen silent.")),
    });
    this.#credentials = new Credentials({
      ...options,
      random: options.backoff.random,
      renew: (token) => this.refresh(token),
      failed: (error) => this.#warn(error),
    });
    this.calls = new Calls({
      ...options,
      isLive: () => this.isLive,
      post: (parcel) => this.#outbox.push(parcel),
      drained: () => this.#drained(),
    });
    this.attendance = new Attendance({
      ask: (method, query) => this.ask(method, query),
      changed: this.events.presence.emit,
    });
    this.#link.attempt();
  }

  #newLink(options: SessionOptions): Link {
    return new Link({
      ...options,
      query: async () => ({
        access_token: await this.#credentials.next(),
        ...this.#resume.query,
      }),
      // Until the server says how often.
      opened: () => this.#heartbeat.start(ROOM.pingSeconds * 1000),
      received: (text) => this.#received(text),
      lost: (error, pause) => this.#lost(error, pause),
      ended: (error) => this.#end({ status: "closed", error }),
    });
  }

  get isLive(): boolean {
    return this.state.status === "connected" && this.#link.isOpen;
  }

  get position(): string | undefined {
    return this.#resume.position;
  }

  /** Calls one of the protocol's own methods. */
  ask(method: string, query: object): Promise<unknown> {
    return this.calls.invoke({ method, args: [query], options: {} });
  }

  async refresh(token?: string): Promise<{ readonly expiresAt: number }> {
    const fresh = token ?? (await this.#credentials.fresh());
    const answer = await this.ask("$/refresh", { token: fresh });
    this.#credentials.accepted(fresh);
    return answer as { readonly expiresAt: number };
  }

  /** The network may be back, or the page: whoever waits need not. */
  wake(): void {
    this.#link.attempt();
    this.#heartbeat.check();
  }

  close(): void {
    this.#outbox.flush();
    this.#link.close();
    this.#end({ status: "closed" });
  }

  #received(text: string): void {
    this.#heartbeat.heard();
    if (text === PING) return;
    try {
      for (const frame of framesIn(text)) this.#take(frame);
    } catch (cause) {
      this.#warn(new HubError("malformed", "A frame was not understood.", { cause }));
    }
  }

  #take(frame: Frame): void {
    switch (frame.method) {
      case undefined:
        return this.#answered(frame);
      case "$/connected":
        return this.#greet(frame.params as Hello);
      case "$/item":
        return this.calls.item(frame.params as { id: string; item: unknown });
      case "$/reset":
        return this.events.reload.emit({ room: frame.room ?? "" });
      default:
        return this.#hear(frame, frame.method);
    }
  }

  /** An error without an id is about a frame that could not be read. */
  #answered(frame: Frame): void {
    if (!this.calls.answered(frame) && frame.error && frame.id === null)
      this.#warn(errorOf(frame.error));
  }

  #greet(hello: Hello): void {
    const outcome = this.#resume.greet(hello);
    const { connectionId, userId, room, replayed, pingSeconds } = hello;
    this.#link.greeted();
    this.#heartbeat.start(pingSeconds * 1000);
    this.#credentials.accepted();
    this.#wasConnected = true;
    this.#become({ status: "connected", connectionId, userId });
    this.attendance.greet(hello);
    if (outcome === "recovered") this.events.recovered.emit({ replayed });
    if (outcome === "reload") this.events.reload.emit({ room });
    // Before what waits: who joins rooms anew does it here, and what waits may need them.
    this.events.connected.emit(hello);
    this.calls.connected();
  }

  #hear(frame: Frame, method: string): void {
    const { room, position } = frame;
    // What is replayed of presence is older than what `$/connected` said.
    const isOld = this.#resume.isReplaying;
    if (room !== undefined && position !== undefined && !this.#resume.hears(room, position)) return;
    const params = ([] as unknown[]).concat(frame.params ?? []);
    if (frame.id !== undefined) return void this.#answer(frame, params);
    if (method === "$/presence" && room === this.#resume.room && !isOld)
      this.attendance.change(frame.params as PresenceChange);
    this.handlers.tell(method, params);
    const place = {
      ...(room !== undefined && { room }),
      ...(position !== undefined && { position }),
    };
    this.events.message.emit({ method, params, ...place });
  }

  /** On the connection that asked: another would not know the question. */
  async #answer(frame: Frame, params: readonly unknown[]): Promise<void> {
    const asked = this.state;
    const text = await this.handlers.answer(frame, params);
    if (this.state === asked && this.isLive) this.#outbox.push({ text });
  }

  #become(state: State): void {
    this.state = state;
    this.events.state.emit(state);
  }

  #warn(error: HubError): void {
    this.lastError = error;
    this.events.error.emit(error);
  }

  #stop(): void {
    this.#heartbeat.stop();
    this.#credentials.stop();
    this.#outbox.clear();
  }

  #lost(error: HubError, pause: number): void {
    this.#stop();
    const status = this.#wasConnected ? "reconnecting" : "connecting";
    this.#become({ status, error, retryAt: Math.round(Date.now() + pause) });
    this.calls.lost();
    this.#warn(error);
  }

  #end(state: State & { readonly status: "closed" }): void {
    if (this.state.status === "closed") return;
    this.#stop();
    this.#become(state);
    this.calls.end(new HubError("closed", "The connection is closed.", { cause: state.error }));
    if (state.error) this.#warn(state.error);
  }

  /** Gives the server's reader a turn, and waits while the socket has much to send. */
  async #drained(): Promise<void> {
    this.#outbox.flush();
    do await new Promise((resolve) => setTimeout(resolve, 1));
    while (this.#link.isOpen && this.#link.bufferedAmount > FULL_BYTES);
  }
}

/** Bytes the socket may have waiting before an upload pauses. */
const FULL_BYTES = 64 * 1024;
