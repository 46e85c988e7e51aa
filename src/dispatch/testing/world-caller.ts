// The client's side of a world: the calls, streams, uploads and handlers of the real client, over a connection in
// memory. It does not reconnect by itself.

import { PendingCalls } from "../../client/session/pending-calls.ts";
import { Handlers } from "../../client/session/handlers.ts";
import { iterableOf } from "../../client/session/server-streams.ts";
import { parseFrame, type Frame } from "../../client/transport/wire.ts";
import { callProxy } from "../../model/audiences.ts";
import { HubError } from "../../model/errors.ts";
import type { User } from "../../model/user.ts";
import type { AnyHub } from "../define/hub-definition.ts";
import type { HubCalls } from "../define/hub-types.ts";
import type { Caller, CallerOptions, JoinOutcome, Received } from "./world-types.ts";
import { turn } from "./world-clock.ts";
import type { WorldPeer } from "./world-server.ts";

/** The connection to the server. */
export interface CallerLink {
  readonly connectionId: string;
  post(frame: string): void;
  /** Ends the client's side with a close code; 1006: the network was lost. Resolves when the world has settled. */
  end(code: number): Promise<void>;
  refresh(user: Partial<User>): Promise<{ readonly dropped: readonly string[] }>;
}

export class WorldCaller implements WorldPeer, Caller<AnyHub> {
  readonly received: Received[] = [];
  readonly frames: Frame[] = [];
  connectionId = "";
  closed: Caller<AnyHub>["closed"];
  readonly #handlers: Handlers;
  readonly #calls: PendingCalls;
  #link: CallerLink | undefined;
  readonly invoke: HubCalls<AnyHub>["invoke"];
  readonly send: HubCalls<AnyHub>["send"];
  readonly stream: HubCalls<AnyHub>["stream"];

  constructor(handlers: object | undefined, messageBytes: number) {
    this.#handlers = new Handlers(messageBytes, handlers);
    this.#calls = new PendingCalls({
      isLive: () => this.#link !== undefined,
      post: ({ text }) => this.#link?.post(text),
      flush: turn,
      ...{ queue: 0, messageBytes },
    });
    this.invoke = callProxy((method, args) => this.call(method, args)) as typeof this.invoke;
    this.send = callProxy((method, args) => this.#send(method, args)) as typeof this.send;
    this.stream = callProxy((method, args) => this.#stream(method, args)) as typeof this.stream;
  }

  /** Opens the connection: frames pass in both directions from now on. */
  open(link: CallerLink): void {
    this.#link = link;
    this.connectionId = link.connectionId;
  }

  #send(method: string, args: readonly unknown[]): void {
    this.#calls.start({ method, args, options: {} });
  }

  #stream(method: string, args: readonly unknown[]): AsyncIterable<unknown> {
    const request = { method, args, options: {}, isStream: true };
    return iterableOf((observer) => this.#calls.start(request, observer));
  }

  call(method: string, args: readonly unknown[], options: CallerOptions = {}): Promise<unknown> {
    return this.#calls.invoke({ method, args, options });
  }

  async join(room: string, since?: string): Promise<JoinOutcome> {
    return (await this.call("$/join", [{ room, since }])) as JoinOutcome;
  }

  async leave(room: string): Promise<void> {
    await this.call("$/leave", [{ room }]);
  }

  async refresh(user: Partial<User>): Promise<{ readonly dropped: readonly string[] }> {
    if (!this.#link) throw new HubError("interrupted", "The connection is gone.");
    return this.#link.refresh(user);
  }

  async close(code = 1000): Promise<void> {
    await this.#end(code);
  }

  async lose(): Promise<void> {
    this.#calls.onLost();
    await this.#end(LOST);
  }

  async #end(code: number): Promise<void> {
    const link = this.#link;
    this.#stop();
    await link?.end(code);
  }

  #stop(): void {
    this.#link = undefined;
    this.#calls.end(new HubError<"closed">("closed", "The connection is closed."));
  }

  /** Called when the server has closed the connection: calls without an answer are lost. */
  onClose(code: number, reason: string): void {
    this.closed = { code, reason };
    this.#calls.onLost();
    this.#stop();
  }

  receive(text: string): void {
    for (const frame of parseFrame(text)) this.#take(frame);
  }

  #take(frame: Frame): void {
    const { method, params } = frame;
    this.frames.push(frame);
    if (method === undefined) return void this.#calls.onResponse(frame);
    if (method === "$/item") return this.#calls.onItem(params as { id: string; item: unknown });
    if (!method.startsWith("$/"))
      this.#message(frame, method, ([] as unknown[]).concat(params ?? []));
  }

  #message({ id, room, position }: Frame, method: string, args: readonly unknown[]): void {
    const origin = { ...(room !== undefined && { room }), ...(position && { position }) };
    this.received.push({ method, args, ...origin });
    if (id === undefined) this.#handlers.deliver(method, args);
    else void this.#respond(method, id, args);
  }

  async #respond(method: string, id: Frame["id"], args: readonly unknown[]): Promise<void> {
    this.#link?.post(await this.#handlers.respond(method, id, args));
  }
}

/** The close code that a socket reports if its network is lost (RFC 6455, §7.1.5). */
export const LOST = 1006;
