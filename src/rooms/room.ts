// A room's Durable Object: the platform's events on one side, the parts on the other. Nothing is decided here.

import { DurableObject } from "cloudflare:workers";
import { CLOSE, HubError, publicError } from "../model/errors.ts";
import type { Position } from "../model/position.ts";
import { formatTopic, parseTopic, type Topic } from "../model/topic.ts";
import { arrivalOf, attach } from "./attach.ts";
import type { Connection } from "./connection.ts";
import { ObjectHost } from "./host.ts";
import { Parts, type RoomEnv } from "./parts.ts";
import type { Delivery, DeliveryReply, MemberCount, Peer } from "./peers.ts";
import type {
  Draft,
  HistoryQuery,
  HistoryView,
  Host,
  PresenceQuery,
  PresenceView,
  Receiver,
} from "./receiver.ts";

export class RoomObject<Env extends RoomEnv = RoomEnv> extends DurableObject<Env> implements Peer {
  readonly #receiver: Receiver;
  readonly #parts: Parts;
  readonly #host: Host;

  constructor(ctx: DurableObjectState, env: Env, receiver: Receiver) {
    super(ctx, env);
    this.#receiver = receiver;
    this.#parts = new Parts(ctx, env, receiver, {
      dropped: (connection, why) => this.#gone(connection, new HubError("cancelled", why.reason)),
      presenceChanged: (joined, left) =>
        this.#inBackground(receiver.presenceChanged(this.#host, joined, left)),
    });
    this.#host = new ObjectHost(this.#parts, {
      env,
      receiver,
      waitUntil: (work) => ctx.waitUntil(work),
    });
    this.#wake();
  }

  /** Rooms elsewhere hear who did not survive; a hub that is no longer served lets its sockets go. */
  #wake(): void {
    const { connections, follows, agenda, served, settings } = this.#parts;
    if (!served)
      for (const connection of connections.all) connections.close(connection, CLOSE.gone);
    for (const connection of connections.all) this.#receiver.awoke(this.#host, connection);
    if (follows.stale) this.#inBackground(follows.settle());
    if (connections.all.size > 0 || this.#parts.roster.users > 0)
      agenda.arm(Date.now() + settings.sweepSeconds * 1000);
  }

  override async fetch(request: Request): Promise<Response> {
    try {
      const arrival = arrivalOf(request);
      if (!this.#parts.served) throw new HubError("hub_not_found", "There is no such hub.");
      const { 0: client, 1: server } = new WebSocketPair();
      const connection = attach(this.#parts, server, arrival, Date.now());
      this.#inBackground(this.#welcome(connection));
      return new Response(null, { status: 101, webSocket: client });
    } catch (error) {
      const { code, message } = publicError(error);
      return Response.json(
        { error: { code, message } },
        { status: STATUS.get(code) ?? 404, headers: { "x-dormouse-error": code } },
      );
    }
  }

  /** Who has read `$/connected` hears all audiences it belongs to: so the links stand first, unless they are slow. */
  async #welcome(connection: Connection): Promise<void> {
    const { agenda, connections, follows, settings, room } = this.#parts;
    const { user } = connection;
    const topics: Topic[] = user.channels.map(parseTopic);
    if (settings.reachUsers) topics.push({ kind: "user", name: user.id });
    const elsewhere = topics.filter((topic) => formatTopic(topic) !== room);
    const links = elsewhere.map((topic) => follows.belong(connection, topic));
    if (settings.reachAll || settings.online) links.push(follows.hearAll(connection));
    for (const link of links) link.catch(() => agenda.arm(Date.now() + RETRY_MS));
    await settledWithin(GREETING_MS, links);
    connections.greet(connection);
    if (!connections.all.has(connection)) return;
    const opened = this.#receiver.opened(this.#host, connection);
    for (const frame of connection.early.splice(0))
      this.#receiver.received(this.#host, connection, frame);
    await opened;
  }

  override webSocketMessage(socket: WebSocket, frame: string | ArrayBuffer): void {
    const connection = this.#parts.connections.of(socket);
    if (!connection) return;
    this.#parts.connections.heard(connection, Date.now());
    // Calls begin after the hub's `connected`, and that after the greeting.
    if (connection.held) return this.#parts.connections.delay(connection, frame);
    this.#receiver.received(this.#host, connection, frame);
  }

  /** The hibernation API answers no Close frame by itself (PLATFORM §0.2). */
  override webSocketClose(socket: WebSocket, code: number, reason: string): void {
    if (code !== 1006 && code !== 1015) answerClose(socket, code, reason);
    this.#end(socket, code === 1006 ? new Error("The connection was lost.") : undefined);
  }

  override webSocketError(socket: WebSocket, error: unknown): void {
    this.#end(socket, error instanceof Error ? error : new Error(String(error)));
  }

  #end(socket: WebSocket, error?: Error): void {
    const ended = this.#parts.connections.ended(socket);
    if (!ended) return;
    this.#parts.connections.remove(ended.connection);
    // Where it ended asleep, this wake has counted the others only.
    if (!ended.asleep) this.#parts.roster.own(ended.connection.user.id, -1);
    this.#left(ended.connection, error);
  }

  #gone(connection: Connection, error?: Error): void {
    this.#parts.roster.own(connection.user.id, -1);
    this.#left(connection, error);
  }

  #left(connection: Connection, error?: Error): void {
    this.#inBackground(this.#receiver.closed(this.#host, connection, error));
    this.#inBackground(this.#parts.follows.leaveAll(connection));
  }

  override alarm(): Promise<void> {
    return this.#parts.agenda.ring(Date.now());
  }

  /** Failures of what nobody waits for are logged; follow links are told again by alarm. */
  #inBackground(work: Promise<unknown>): void {
    this.ctx.waitUntil(work.catch((error: unknown) => console.error("In the background:", error)));
  }

  publish(draft: Draft): Promise<Position> {
    return this.#parts.publisher.publishSaved(draft);
  }

  async history(query: HistoryQuery): Promise<HistoryView> {
    return this.#host.history(this.#parts.address.topic, query);
  }

  async presence(query: PresenceQuery): Promise<PresenceView> {
    return this.#host.presence(this.#parts.address.topic, query);
  }

  async track(userId: string, state: unknown): Promise<void> {
    return this.#host.track(userId, this.#parts.address.topic, state);
  }

  async follow(follower: string, members: readonly MemberCount[]): Promise<void> {
    this.#parts.followers.add(follower, members);
    for (const [userId, connections] of members)
      this.#parts.roster.set(follower, userId, connections);
  }

  async unfollow(follower: string): Promise<void> {
    this.#parts.followers.remove(follower);
  }

  async deliver(delivery: Delivery): Promise<DeliveryReply> {
    return this.#parts.follows.deliver(delivery);
  }

  async tell(connection: string, target: string, params: string): Promise<void> {
    return this.#host.tell(connection, target, params);
  }

  async ask(connection: string, target: string, params: string): Promise<unknown> {
    return this.#host.ask(connection, target, params);
  }
}

const STATUS: ReadonlyMap<string, number> = new Map([
  ["too_many_connections", 429],
  ["too_large", 413],
  ["internal", 500],
]);

/** How soon a room elsewhere that could not be told is told again. */
const RETRY_MS = 2_000;
/** How long a room elsewhere may keep a new connection waiting. */
const GREETING_MS = 2_000;

async function settledWithin(ms: number, work: readonly Promise<unknown>[]): Promise<void> {
  if (work.length === 0) return;
  const over = new AbortController();
  const late = scheduler.wait(ms, { signal: over.signal }).catch(() => {});
  await Promise.race([Promise.allSettled(work), late]);
  over.abort();
}

/** Codes that may not be sent (1005, or what a client made up) are answered as a normal close. */
function answerClose(socket: WebSocket, code: number, reason: string): void {
  for (const answer of [() => socket.close(code, reason), () => socket.close(1000)]) {
    try {
      return answer();
    } catch {
      // Not a code of ours to send, or closed already: then there is nothing left to answer.
    }
  }
}
