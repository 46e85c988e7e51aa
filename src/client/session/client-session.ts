// Connects the parts of a connection: passes received frames to the calls, the scope and the handlers, and starts and
// stops the parts that live as long as one socket.

import { PING, PING_SECONDS } from "../../model/wire-constants.ts";
import { HubError } from "../../model/errors.ts";
import type { Message } from "../model/client-messages.ts";
import type { State } from "../model/client-state.ts";
import { closedError } from "../model/close-error.ts";
import { isTemporary, type Refused } from "../model/refusal.ts";
import type { Left, Scope, ScopeHost } from "../scope/scope.ts";
import { Credentials } from "../transport/credentials.ts";
import { Heartbeat } from "../transport/heartbeat.ts";
import { Link } from "../transport/link.ts";
import { Retries } from "../transport/retries.ts";
import { SendQueue } from "../transport/send-queue.ts";
import { errorOf, parseFrame, type Frame, type Greeting } from "../transport/wire.ts";
import { Handlers } from "./handlers.ts";
import { PendingCalls } from "./pending-calls.ts";
import { sessionEvents } from "./session-events.ts";
import type { SessionOptions } from "./session-options.ts";
import type { ClientErrorCode } from "../model/client-errors.ts";

/** `G` is the type of the server's greeting to a connection with the scope `S`. */
export class Session<S extends Scope = Scope, G extends Greeting = Greeting> {
  readonly #link: Link;
  readonly #queue: SendQueue;
  readonly #heartbeat: Heartbeat;
  readonly #credentials: Credentials;
  readonly #retries: Retries;
  readonly calls: PendingCalls;
  readonly handlers: Handlers;
  readonly scope: S;
  readonly events = sessionEvents<G>(() => this.state.status !== "closed");
  state: State = { status: "connecting" };
  /** The newest error of the `error` event. It remains after a reconnection. */
  lastError: HubError | undefined;
  /** The status after a loss: `reconnecting` from the first greeting on. */
  #statusAfterLoss: "connecting" | "reconnecting" = "connecting";

  /** Reports an error that rejects no call. A function, not a method, since it is passed on as `onError`. */
  readonly #warn = (error: HubError): void => {
    this.lastError = error;
    this.events.error.emit(error);
  };

  constructor(options: SessionOptions, scopeFor: (host: ScopeHost) => S) {
    this.handlers = new Handlers(options.messageBytes, options.handlers);
    this.scope = scopeFor({
      call: this.call,
      isConnected: () => this.#isLive,
      retry: (run, error) => this.#isLive && isTemporary(error) && this.#retries.add(run),
      onRecovered: this.events.recovered.emit,
      onReload: this.events.reload.emit,
      onLeft: this.events.left.emit,
      onError: this.#warn,
    });
    this.#retries = new Retries(options.backoff);
    this.#link = this.#newLink(options);
    this.#queue = new SendQueue((frame) => this.#link.send(frame));
    this.#heartbeat = new Heartbeat({
      ping: () => this.#link.send(PING),
      onSilence: () =>
        this.#link.drop(new HubError<ClientErrorCode>("silent", "The server is silent.")),
    });
    this.#credentials = new Credentials({
      ...options,
      random: options.backoff.random,
      renew: (token) => this.refresh(token),
      onError: this.#warn,
    });
    this.calls = new PendingCalls({
      ...options,
      isLive: () => this.#isLive,
      post: (message) => this.#queue.push(message),
      flush: () => this.#flush(),
    });
  }

  /** Starts the first attempt. Nothing runs before it: no timer, and no socket. */
  start(): void {
    this.#link.attempt();
  }

  #newLink(options: SessionOptions): Link {
    return new Link({
      ...options,
      query: async () => ({
        access_token: await this.#credentials.nextToken(),
        ...this.scope.query,
      }),
      onOpen: () => {
        // The greeting sets the server's own interval.
        this.#heartbeat.start(PING_SECONDS * 1000);
        // The platform ends the TCP connection of a socket that it closes only if it has received data by it [PL8].
        this.#heartbeat.ask();
      },
      onMessage: (text) => this.#onText(text),
      onLost: (error, pause) => this.#onLost(error, pause),
      onEnd: (error) => this.#end({ status: "closed", error }),
    });
  }

  get #isConnected(): boolean {
    return this.state.status === "connected";
  }

  /** Whether calls are sent at once: the connection is greeted, and the socket is open. */
  get #isLive(): boolean {
    return this.#isConnected && this.#link.isOpen;
  }

  /** Calls one of the protocol's own methods (`$/…`). Like any call, it waits for a connection. */
  readonly call = (method: string, params: object, signal?: AbortSignal): Promise<unknown> =>
    this.calls.invoke({ method, args: [params], options: { signal } });

  /** Without `token`, renews with the application's token or token function. */
  async refresh(token?: string): Promise<{ readonly expiresAt: number }> {
    const fresh = token ?? (await this.#credentials.fetchToken());
    const result = await this.call("$/refresh", { token: fresh });
    this.#credentials.renewLater(fresh);
    return result as { readonly expiresAt: number };
  }

  /** Called when page or network may be back: starts the next attempt without its pause, or tests the connection. */
  wake(): void {
    this.#link.attempt();
    this.#heartbeat.ask();
  }

  /** Sends the queued messages, then closes for good. */
  close(): void {
    this.#queue.flush();
    this.#link.close();
    this.#end({ status: "closed" });
  }

  #onText(text: string): void {
    this.#heartbeat.onReceive();
    if (text === PING) return;
    try {
      // A handler may close the connection: the rest of the frame is dropped then.
      for (const frame of parseFrame(text)) if (this.#link.isOpen) this.#onFrame(frame);
    } catch (cause) {
      this.#warn(new HubError("malformed", "A frame is malformed.", { cause }));
    }
  }

  #onFrame(frame: Frame): void {
    switch (frame.method) {
      case undefined:
        // An error with the id null belongs to no call: the server could not read a frame.
        if (!this.calls.onResponse(frame) && frame.error && frame.id === null)
          this.#warn(errorOf(frame.error));
        return;
      case "$/connected":
        return this.#onGreeting(frame.params as G);
      case "$/refused":
        return this.#link.refuse(frame.params as Refused);
      case "$/item":
        return this.calls.onItem(frame.params as { id: string; item: unknown });
      case "$/reset":
        return this.events.reload.emit({ room: frame.room ?? "" });
      case "$/left":
        this.scope.forget((frame.params as Left).room);
        return this.events.left.emit(frame.params as Left);
      default:
        return this.#onMessage(frame, frame.method);
    }
  }

  /**
   * The order is part of the contract: the state, then the scope's own requests, then the application's listeners, then
   * the calls that waited, which may need the rooms that scope and listeners join.
   */
  #onGreeting(greeting: G): void {
    const { connectionId, userId, pingSeconds } = greeting;
    this.#link.greet();
    this.#heartbeat.start(pingSeconds * 1000);
    this.#credentials.renewLater();
    this.#statusAfterLoss = "reconnecting";
    this.#setState({ status: "connected", connectionId, userId });
    // A listener may close the connection.
    if (this.#isConnected) this.scope.greet(greeting);
    this.events.connected.emit(greeting);
    this.calls.onConnected();
  }

  /** A call with an id expects a result: it is not a message, and not passed to `onMessage` listeners. */
  #onMessage(frame: Frame, method: string): void {
    if (!this.scope.accept(frame)) return;
    const { room, position } = frame;
    const params = ([] as unknown[]).concat(frame.params ?? []);
    if (frame.id !== undefined) return void this.#respond(method, frame.id, params);
    this.handlers.deliver(method, params, room);
    const at = { ...(room && { room }), ...(position && { position }) };
    this.events.message.emit({ method, params, ...at } as Message);
  }

  /** Sends the response only on the connection of the call: the server knows its id on no other. */
  async #respond(method: string, id: Frame["id"], params: readonly unknown[]): Promise<void> {
    const { state } = this;
    const text = await this.handlers.respond(method, id, params);
    if (this.state === state) this.#queue.push({ text });
  }

  #setState(state: State): void {
    this.state = state;
    this.events.state.emit(state);
  }

  #stop(): void {
    this.#heartbeat.stop();
    this.#credentials.stop();
    this.#retries.stop();
    this.#queue.clear();
  }

  /** The state changes before calls fail and `error` is emitted, so that their listeners see the new one. */
  #onLost(error: HubError, pause: number): void {
    this.#stop();
    const status = this.#statusAfterLoss;
    this.#setState({ status, error, retryAt: Math.round(Date.now() + pause) });
    this.calls.onLost();
    this.#warn(error);
  }

  #end(state: State & { readonly status: "closed" }): void {
    if (this.state.status === "closed") return;
    this.#stop();
    this.#setState(state);
    const error = closedError(state.error);
    this.#credentials.close(error);
    this.calls.end(error);
    if (state.error) this.#warn(state.error);
  }

  /** Waits at least one turn, so that the server's reader can catch up, and until the send buffer has room. */
  async #flush(): Promise<void> {
    this.#queue.flush();
    do await new Promise((resolve) => setTimeout(resolve, 1));
    while (this.#link.isOpen && this.#link.bufferedAmount > FULL_BYTES);
  }
}

/** An upload pauses while the socket's send buffer holds more than this. */
const FULL_BYTES = 64 * 1024;
