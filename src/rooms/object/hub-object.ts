// A Durable Object that holds connections: passes the platform's events to its parts. Rooms and relays are such
// objects; they differ in their parts and in how a connection begins.

import { DurableObject } from "cloudflare:workers";
import { CLOSE, HubError, type CloseCode } from "../../model/errors.ts";
import { logError } from "../../model/logger.ts";
import type { Params } from "../../model/message.ts";
import { parseTopic } from "../../model/topic.ts";
import { answerClose, endOf } from "../connection/close-socket.ts";
import { isDeliberate, REGULAR_CLOSE, type Connection } from "../connection/connection.ts";
import { spendBytes } from "../connection/inbound-budget.ts";
import { isOpen, wasOpen } from "../connection/stage.ts";
import { countsOf } from "../observe/attached-counts.ts";
import { logConnection, noteEnd } from "../observe/connection-log.ts";
import { sentAtOf } from "../rpc/arrival.ts";
import type { Command, CommandOutcome, Selection } from "../rpc/command.ts";
import { clientResult, type ClientResult } from "../rpc/fault.ts";
import type { ConnectionEntry, MembersQuery } from "../rpc/members-page.ts";
import type { ObjectEnv } from "../rpc/object-env.ts";
import { objectsOf } from "../rpc/place.ts";
import type { Delivery, DeliveryReply, HolderRpc } from "../rpc/room-rpc.ts";
import type { AdmissionCache } from "./admission-cache.ts";
import { joinFirstRooms } from "./first-rooms.ts";
import type { ObjectHost } from "./object-host.ts";
import type { Ending, Receiver } from "./host.ts";
import { membersIn } from "./members.ts";
import type { ObjectEvents, ObjectKind, ObjectParts } from "./object-parts.ts";
import { ObjectStart, type StartedObject } from "./object-start.ts";
import { refusedArrival } from "./refused-arrival.ts";
import { runCommands } from "./run-commands.ts";
import { isUsed } from "./upkeep.ts";

export interface End extends Omit<Ending, "departed"> {
  /** Whether it ended while the object slept, so that this wake has not counted it. */
  readonly asleep?: boolean;
}

export abstract class HubObject<Env extends ObjectEnv, P extends ObjectParts>
  extends DurableObject<Env>
  implements HolderRpc
{
  protected readonly receiver: Receiver;
  readonly #start: ObjectStart<P>;
  #started: StartedObject<P> | undefined;

  constructor(ctx: DurableObjectState, env: Env, { receiver, place, ...kind }: ObjectKind<P>) {
    super(ctx, env);
    this.receiver = receiver;
    const events: ObjectEvents = {
      dropped: (...dropped) => this.dropped(...dropped),
      presenceChanged: (change) => this.inBackground(receiver.presenceChanged(this.host, change)),
    };
    const objects = objectsOf({ env, place });
    this.#start = new ObjectStart({ ctx, env, objects, receiver, events }, kind);
    if (!this.#start.fault) this.wake();
  }

  /** Like `host` and `admissions`, throws `storage_corrupt` or `storage_too_new` if the storage cannot be read. */
  protected get parts(): P {
    return (this.#started ?? this.#begin()).parts;
  }

  protected get host(): ObjectHost {
    return (this.#started ?? this.#begin()).host;
  }

  protected get admissions(): AdmissionCache {
    return (this.#started ?? this.#begin()).admissions;
  }

  #begin(): StartedObject<P> {
    const isLate = this.#start.fault?.isLasting === false;
    const started = (this.#started = this.#start.sound);
    if (isLate) this.wake();
    return started;
  }

  protected heal(): Promise<void> {
    this.#started = undefined;
    return this.#start.heal();
  }

  /** Accepts the socket of a client that the endpoint has admitted, or answers. Errors refuse the client. */
  protected abstract begin(
    socket: WebSocket,
    request: Request,
  ): Connection | Promise<Connection | Response>;

  /** Reports members that a crash has ended to rooms elsewhere. Closes all sockets if the hub is no longer served. */
  protected wake(): void {
    const { connections, followed, agenda, isServed, storage, sweepMs, webhooks } = this.parts;
    if (!isServed)
      for (const connection of connections.all) connections.close(connection, CLOSE.gone);
    for (const connection of connections.all) this.receiver.awoke(this.host, connection);
    if (followed.rooms.isStale) this.inBackground(followed.rooms.settle());
    webhooks?.resume();
    if (isUsed(this.parts)) agenda.arm(Date.now() + sweepMs());
    else this.parts.end.arm(Date.now(), true);
    if (!storage.isEmpty) agenda.recover();
  }

  /**
   * A client that the endpoint hands over (rpc/arrival.ts). Answers 101 with the socket, the response of `begin`, or a
   * refusal with its code in `x-dormouse-error`; refusals are not thrown, since the platform logs exceptions.
   */
  override async fetch(request: Request): Promise<Response> {
    try {
      if (!this.parts.isServed) throw new HubError("hub_not_found", "There is no such hub.");
      this.parts.arrivals.check(sentAtOf(request));
      const { 0: client, 1: server } = new WebSocketPair();
      const outcome = await this.begin(server, request);
      if (outcome instanceof Response) return outcome;
      return new Response(null, { status: 101, webSocket: client });
    } catch (error) {
      const refused = (code: string) => this.#start.fault || this.parts.activity.refused(code);
      return refusedArrival(error, { object: this.ctx.id.name ?? "", refused });
    }
  }

  /**
   * Puts a connection into its rooms, then opens it and handles the frames that waited, in their order. Its links are
   * confirmed by then, unless a room is slow (`waitForLinks`). Stops if the connection has ended meanwhile.
   */
  protected async welcome(connection: Connection): Promise<void> {
    const { parts, host, admissions } = this;
    await parts.arrivals.during(joinFirstRooms({ parts, host, admissions }, connection));
    const { activity, address, connections, name, webhooks } = this.parts;
    if (connection.stage.name === "greeting") this.opening(connection);
    const early = connections.open(connection);
    if (!isOpen(connection)) return;
    if (!activity.isDue) activity.note();
    webhooks?.connected(connection);
    logConnection(this.env, "connection_opened", { connection, address, object: name });
    const opened = this.receiver.opened(this.host, connection);
    for (const frame of early) this.receiver.received(this.host, connection, frame);
    await opened;
  }

  /** Called before the held frames of a connection are written. Relays save the positions of rejoined groups. */
  protected opening(_connection: Connection): void {}

  override webSocketMessage(socket: WebSocket, frame: string | ArrayBuffer): void {
    const connection = this.parts.connections.of(socket);
    if (connection) this.receive(connection, frame);
  }

  /** Passes frames of an open connection to the dispatcher, in order; earlier frames wait until it is open. */
  protected receive(connection: Connection, frame: string | ArrayBuffer): void {
    const { activity, connections, settings } = this.parts;
    const bytes = typeof frame === "string" ? frame.length : frame.byteLength;
    activity.counters.bytesIn += bytes;
    const budget = connection.inbound?.bytes;
    if (budget && budget.left >= bytes) budget.left -= bytes;
    else if (!spendBytes(connection, bytes, settings.limits))
      return connections.close(connection, CLOSE.flooding);
    connections.touch(connection, Date.now());
    const { name: stage } = connection.stage;
    if (stage === "handshaking") this.handshake(connection, frame);
    else if (stage === "greeting") connections.delay(connection, frame);
    else this.receiver.received(this.host, connection, frame);
  }

  /** The first frame of a SignalR client. Only relays have such clients. */
  protected handshake(_connection: Connection, _frame: string | ArrayBuffer): void {}

  /** The hibernation API answers no Close frame by itself (docs/design/platform.md#pl3). */
  override webSocketClose(socket: WebSocket, code: number, reason: string): void {
    const isLost = code === 1006 || code === 1015;
    if (!isLost) answerClose(socket, code, reason);
    this.end(socket, code, isLost ? new Error("The connection was lost.") : undefined);
  }

  override webSocketError(socket: WebSocket, error: unknown): void {
    this.end(socket, 1006, error instanceof Error ? error : new Error(String(error)));
  }

  /** Called when the client's side has ended. */
  protected end(socket: WebSocket, code: number, error?: Error): void {
    const closed = this.parts.connections.takeClosed(socket);
    if (!closed) return;
    this.parts.connections.remove(closed.connection);
    closed.connection.mayReturn = !REGULAR_CLOSE.has(code);
    if (closed.asleep) this.parts.activity.addEarlier(countsOf(closed.connection));
    noteEnd(this.env, this.parts, { connection: closed.connection, code });
    this.left(closed.connection, { error, asleep: closed.asleep });
  }

  /** Called when the server has closed the connection. */
  protected dropped(connection: Connection, why: CloseCode, detail?: string): void {
    noteEnd(this.env, this.parts, { connection, code: why });
    this.left(connection, { error: endOf(why, detail), why });
  }

  protected left(connection: Connection, end: End): void {
    const { error } = end;
    this.parts.webhooks?.disconnected(connection, error);
    const how = isDeliberate(connection, error) ? "left" : "lost";
    const departed = this.parts.followed.leaveAll(connection, how);
    this.inBackground(departed);
    if (wasOpen(connection))
      this.inBackground(this.receiver.closed(this.host, connection, { ...end, departed }));
  }

  override async alarm(info?: AlarmInvocationInfo): Promise<void> {
    await this.#start.ring(() => this.parts.agenda, info?.retryCount);
  }

  /** Failures of work that no caller waits for are logged; follow links are repaired by alarm. */
  protected inBackground(work: Promise<unknown>): void {
    const [hub, room] = [this.host.domain.hub, this.parts.name];
    const logFailure = (error: unknown) => logError("background_failed", { hub, room, error });
    this.ctx.waitUntil(work.catch(logFailure));
  }

  async deliver(delivery: Delivery): Promise<DeliveryReply> {
    return this.parts.followed.deliver(delivery);
  }

  async refollow(room: string): Promise<void> {
    await this.parts.followed.rooms.followAgain(room);
  }

  async tell(connection: string, target: string, params: Params): Promise<void> {
    return this.host.clients.tell(connection, { target, ...params });
  }

  async ask(connection: string, target: string, params: Params): Promise<ClientResult> {
    return clientResult(this.host.clients.ask(connection, { target, ...params }));
  }

  async move(connection: string, topic: string, how: "join" | "leave"): Promise<void> {
    return this.host.clients.move(connection, parseTopic(topic), how);
  }

  /** Runs commands. Those about a user come from the account, and also clear the user's cached admission. */
  async command(selection: Selection, commands: readonly Command[]): Promise<CommandOutcome> {
    this.parts.beforeLook();
    if (selection.user !== undefined) this.admissions.forget(selection.user);
    return runCommands({ parts: this.parts, host: this.host }, selection, commands);
  }

  async membersIn(query: MembersQuery): Promise<readonly ConnectionEntry[]> {
    this.parts.beforeLook();
    return membersIn(this.parts, query);
  }
}
