// What goes on behind a connection: frames go to whom they belong, and whatever lives as long as a socket begins and
// ends with it.

import { HubError } from "../../model/errors.ts";
import { PING, PING_SECONDS } from "../../model/wire-constants.ts";
import { Calls } from "./pending-calls.ts";
import { Credentials } from "../transport/credentials.ts";
import { Handlers } from "./handlers.ts";
import { Heartbeat } from "../transport/heartbeat.ts";
import { Link } from "../transport/link.ts";
import type { Message, SessionOptions, State } from "../connect-options.ts";
import { Outbox } from "../transport/send-queue.ts";
import type { Around, Left, Place, Recovered } from "../scope/scope.ts";
import { signal } from "./emitter.ts";
import { errorOf, framesIn, type Frame, type Greeting } from "../transport/wire.ts";

const eventsOf = <G>() => ({
  state: signal<State>(),
  connected: signal<G>(),
  recovered: signal<Recovered>(),
  reload: signal<{ readonly room: string }>(),
  left: signal<Left>(),
  message: signal<Message>(),
  error: signal<HubError>(),
});

/** `G` is what the server says of a connection to such a place. */
export class Session<P extends Place = Place, G extends Greeting = Greeting> {
  readonly #link: Link;
  readonly #outbox: Outbox;
  readonly #heartbeat: Heartbeat;
  readonly #credentials: Credentials;
  readonly calls: Calls;
  readonly handlers: Handlers;
  readonly place: P;
  readonly events = eventsOf<G>();
  state: State = { status: "connecting" };
  lastError: HubError | undefined;
  #wasConnected = false;

  constructor(options: SessionOptions, place: (around: Around) => P) {
    this.handlers = new Handlers(options.handlers);
    this.place = place({
      ask: (method, query) => this.ask(method, query),
      recovered: this.events.recovered.emit,
      reload: this.events.reload.emit,
      failed: (error) => this.#warn(error),
    });
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
    this.#link.attempt();
  }

  #newLink(options: SessionOptions): Link {
    return new Link({
      ...options,
      query: async () => ({
        access_token: await this.#credentials.next(),
        ...this.place.query,
      }),
      // Until the server says how often.
      opened: () => this.#heartbeat.start(PING_SECONDS * 1000),
      received: (text) => this.#received(text),
      lost: (error, pause) => this.#lost(error, pause),
      ended: (error) => this.#end({ status: "closed", error }),
    });
  }

  get isLive(): boolean {
    return this.state.status === "connected" && this.#link.isOpen;
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
        return this.#greet(frame.params as G);
      case "$/item":
        return this.calls.item(frame.params as { id: string; item: unknown });
      case "$/reset":
        return this.events.reload.emit({ room: frame.room ?? "" });
      case "$/left":
        this.place.forget((frame.params as Left).room);
        return this.events.left.emit(frame.params as Left);
      default:
        return this.#hear(frame, frame.method);
    }
  }

  /** An error without an id is about a frame that could not be read. */
  #answered(frame: Frame): void {
    if (!this.calls.answered(frame) && frame.error && frame.id === null)
      this.#warn(errorOf(frame.error));
  }

  #greet(hello: G): void {
    const { connectionId, userId, pingSeconds } = hello;
    this.#link.greeted();
    this.#heartbeat.start(pingSeconds * 1000);
    this.#credentials.accepted();
    this.#wasConnected = true;
    this.#become({ status: "connected", connectionId, userId });
    this.place.greet(hello);
    // Before what waits: who joins rooms anew does it here, and what waits may need them.
    this.events.connected.emit(hello);
    this.calls.connected();
  }

  #hear(frame: Frame, method: string): void {
    if (!this.place.hears(frame)) return;
    const { room, position } = frame;
    const params = ([] as unknown[]).concat(frame.params ?? []);
    if (frame.id !== undefined) return void this.#answer(frame, params);
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
