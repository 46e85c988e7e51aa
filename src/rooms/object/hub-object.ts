// A Durable Object that holds connections: the platform's events on one side, the parts on the other. Rooms and
// relays are such objects, and differ in how a connection begins.

import { DurableObject } from "cloudflare:workers";
import { httpStatusOf } from "../../model/error-table.ts";
import { CLOSE, HubError, reasonOf, publicError, type CloseCode } from "../../model/errors.ts";
import { logError } from "../../model/logger.ts";
import type { Params } from "../../model/message.ts";
import { parseTopic, type Topic } from "../../model/topic.ts";
import type { Connection } from "../connection/connection.ts";
import { objectName } from "../rpc/object-names.ts";
import { Admissions } from "./admission-cache.ts";
import { obey, type Command, type Obeyed, type Selection } from "./run-commands.ts";
import { logConnection } from "../observe/connection-log.ts";
import { ObjectHost } from "./object-host.ts";
import { membersIn, type ConnectionEntry, type MembersQuery } from "./members.ts";
import { belongings, type Parts } from "./object-parts.ts";
import { linked } from "./link-wait.ts";
import {
  accountOf,
  type Delivery,
  type DeliveryReply,
  type Holder,
  type ObjectEnv,
} from "../rpc/room-rpc.ts";
import type { Receiver } from "./host.ts";

export abstract class HubObject<Env extends ObjectEnv, P extends Parts>
  extends DurableObject<Env>
  implements Holder
{
  protected readonly receiver: Receiver;
  protected readonly parts: P;
  protected readonly host: ObjectHost;
  protected readonly admissions: Admissions;

  constructor(ctx: DurableObjectState, env: Env, receiver: Receiver) {
    super(ctx, env);
    this.receiver = receiver;
    this.parts = this.assemble();
    const { home, settings } = this.parts;
    this.admissions = new Admissions({
      self: objectName(home),
      limits: settings.limits,
      account: (user) => accountOf(env, { tenant: home.tenant, user }),
    });
    this.host = new ObjectHost(this.parts, {
      ...{ env, receiver },
      waitUntil: (work) => ctx.waitUntil(work),
      admit: (user) => this.admissions.given(user),
    });
    this.#wake();
  }

  protected abstract assemble(): P;
  /** Accepts the socket of a client that the endpoint let through, or answers. Throws what it is told then. */
  protected abstract begin(
    socket: WebSocket,
    request: Request,
  ): Connection | Promise<Connection | Response>;
  /** Whether all that is said to a connection's user reaches it. */
  protected abstract get reachesUsers(): boolean;

  /** Rooms elsewhere hear who did not survive; a hub that is no longer served lets its sockets go. */
  #wake(): void {
    const { connections, follows, agenda, served, settings } = this.parts;
    if (!served)
      for (const connection of connections.all) connections.close(connection, CLOSE.gone);
    for (const connection of connections.all) this.receiver.awoke(this.host, connection);
    if (follows.stale) this.inBackground(follows.settle());
    this.parts.outside?.resume();
    if (this.parts.isUsed) agenda.arm(Date.now() + settings.sweepSeconds * 1000);
  }

  override async fetch(request: Request): Promise<Response> {
    try {
      if (!this.parts.served) throw new HubError("hub_not_found", "There is no such hub.");
      const { 0: client, 1: server } = new WebSocketPair();
      const begun = await this.begin(server, request);
      if (begun instanceof Response) return begun;
      return new Response(null, { status: 101, webSocket: client });
    } catch (error) {
      const { code, message } = publicError(error);
      this.parts.refused(code);
      const status = httpStatusOf(code);
      const later = status === 429 || status === 503 ? { "retry-after": "1" } : {};
      const headers = { "x-dormouse-error": code, ...later };
      return Response.json({ error: { code, message } }, { status, headers });
    }
  }

  /** Who is greeted hears all audiences it belongs to: so the links stand first, unless they are slow. */
  protected async welcome(connection: Connection): Promise<void> {
    const given = await this.#givenTo(connection);
    const { agenda, connections, follows, settings } = this.parts;
    const { user } = connection;
    const topics: Topic[] = [...new Set([...user.channels, ...given])].map(parseTopic);
    const elsewhere = belongings(connection, this.host.room, topics, this.reachesUsers);
    const links = elsewhere.map((topic) => follows.belong(connection, topic, "token"));
    if (settings.reachAll || settings.online) links.push(follows.hearAll(connection));
    await linked(agenda, links);
    connections.greet(connection);
    if (!connections.all.has(connection)) return;
    connection.opening = false;
    this.parts.active();
    this.parts.outside?.connected(connection);
    logConnection(this.env, "connection_opened", { connection, parts: this.parts });
    const opened = this.receiver.opened(this.host, connection);
    for (const frame of connection.early.splice(0))
      this.receiver.received(this.host, connection, frame);
    await opened;
  }

  /** Rooms a service has put its user into; none where it is closed instead, since it may no longer be here. */
  async #givenTo(connection: Connection): Promise<readonly string[]> {
    try {
      return await this.admissions.given(connection.user);
    } catch (error) {
      const isKnown = publicError(error).code !== "internal";
      this.parts.connections.close(connection, isKnown ? CLOSE.revoked : CLOSE.interrupted);
      return [];
    }
  }

  override webSocketMessage(socket: WebSocket, frame: string | ArrayBuffer): void {
    const connection = this.parts.connections.of(socket);
    if (!connection) return;
    this.parts.connections.heard(connection, Date.now());
    this.parts.came(frame);
    this.take(connection, frame);
  }

  /** Calls begin after the hub's `connected`, and that after the greeting. */
  protected take(connection: Connection, frame: string | ArrayBuffer): void {
    if (connection.held) this.parts.connections.delay(connection, frame);
    else this.receiver.received(this.host, connection, frame);
  }

  /** The hibernation API answers no Close frame by itself (PLATFORM §0.2). */
  override webSocketClose(socket: WebSocket, code: number, reason: string): void {
    const isLost = code === 1006 || code === 1015;
    if (!isLost) answerClose(socket, code, reason);
    this.end(socket, code, isLost ? new Error("The connection was lost.") : undefined);
  }

  override webSocketError(socket: WebSocket, error: unknown): void {
    this.end(socket, 1006, error instanceof Error ? error : new Error(String(error)));
  }

  protected end(socket: WebSocket, code: number, error?: Error): void {
    const ended = this.parts.connections.ended(socket);
    if (!ended) return;
    this.parts.connections.remove(ended.connection);
    this.#ended(ended.connection, code);
    this.left(ended.connection, error, ended.asleep);
  }

  /** One that the server ends. */
  protected gone(connection: Connection, why: CloseCode): void {
    const error = why === CLOSE.normal ? undefined : new HubError("cancelled", reasonOf(why));
    this.#ended(connection, why);
    this.left(connection, error, false);
  }

  #ended(connection: Connection, code: number): void {
    this.parts.active();
    if (connection.opening || connection.asker) return;
    logConnection(this.env, "connection_closed", { connection, parts: this.parts, code });
  }

  /** `asleep`: it ended while the object slept, and this wake has not counted it. */
  protected left(connection: Connection, error: Error | undefined, _asleep: boolean): void {
    this.parts.outside?.disconnected(connection, error);
    if (!connection.opening) this.inBackground(this.receiver.closed(this.host, connection, error));
    this.inBackground(this.parts.follows.leaveAll(connection));
  }

  override alarm(): Promise<void> {
    return this.parts.agenda.ring(Date.now());
  }

  /** Failures of what nobody waits for are logged; follow links are told again by alarm. */
  protected inBackground(work: Promise<unknown>): void {
    const { name } = this.parts;
    const failed = (error: unknown) =>
      logError("background_failed", { hub: this.host.domain.hub, room: name, error });
    this.ctx.waitUntil(work.catch(failed));
  }

  async deliver(delivery: Delivery): Promise<DeliveryReply> {
    return this.parts.follows.deliver(delivery);
  }

  async tell(connection: string, target: string, params: Params): Promise<void> {
    return this.host.tell(connection, target, params);
  }

  async ask(connection: string, target: string, params: Params): Promise<unknown> {
    return this.host.ask(connection, target, params);
  }

  async move(connection: string, topic: string, how: "join" | "leave"): Promise<void> {
    return this.host.move(connection, parseTopic(topic), how);
  }

  async command(selection: Selection, commands: readonly Command[]): Promise<Obeyed> {
    if (selection.user !== undefined) this.admissions.forget(selection.user);
    return obey({ parts: this.parts, host: this.host }, selection, commands);
  }

  async membersIn(query: MembersQuery): Promise<readonly ConnectionEntry[]> {
    return membersIn(this.parts, query);
  }
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
