// A relay's Durable Object: holds connections that are in many rooms, and follows those rooms for them. SignalR clients
// connect here, JSON-RPC clients of a whole hub, and clients of rooms that are full.

import { CLOSE, HubError } from "../../model/errors.ts";
import { logWarning } from "../../model/logger.ts";
import { factsOf, type AccountUser, type TokenFacts, type User } from "../../model/user.ts";
import { beforeHandshake } from "../../protocols/before-handshake.ts";
import { countReadCharacters, type Connection } from "../connection/connection.ts";
import { type End, HubObject } from "../object/hub-object.ts";
import type { ObjectCode } from "../object/object-parts.ts";
import {
  arrivalOf,
  type HttpCallArrival,
  type JsonRpcArrival,
  type OverflowArrival,
  type SignalRArrival,
} from "../rpc/arrival.ts";
import { refusable, type Refused } from "../rpc/fault.ts";
import type { ObjectEnv } from "../rpc/object-env.ts";
import type {
  HttpCallReply,
  PostedBody,
  PostOutcome,
  RefreshOutcome,
  RefreshRefusal,
  RelayRpc,
  RememberedRoom,
  Seat,
  SeatRequest,
} from "../rpc/relay-rpc.ts";
import { reserveSeat, type ReadSeat } from "./seats.ts";
import { acceptOverflow, followRoom } from "./accept-overflow.ts";
import { acceptRpc } from "./accept-rpc.ts";
import { acceptSignalR, checkReturn, resume } from "./accept-signalr.ts";
import {
  checkUser,
  classify,
  type AnyArrival,
  type ClassifiedArrival,
} from "./classify-arrival.ts";
import { HttpCalls } from "./http-calls.ts";
import { refreshConnection } from "./refresh-connection.ts";
import { keepForReturn, recallLocally, rejoinGroups, replaceOld } from "./rejoin-groups.ts";
import { relayParts, type RelayParts } from "./relay-parts.ts";
import { shakeHands } from "./signalr-handshake.ts";

export class RelayObject<Env extends ObjectEnv = ObjectEnv>
  extends HubObject<Env, RelayParts>
  implements Omit<RelayRpc, "fetch">
{
  #calls: HttpCalls | undefined;

  constructor(ctx: DurableObjectState, env: Env, served: ObjectCode) {
    super(ctx, env, { ...served, build: relayParts, healsItself: true });
  }

  get #httpCalls(): HttpCalls {
    const { host, receiver } = this;
    return (this.#calls ??= new HttpCalls(this.parts, { host, receiver }));
  }

  /** Throws what `classify` throws, `duplicate_id`, `wrong_kind` or `too_large`. */
  protected override async begin(
    socket: WebSocket,
    request: Request,
  ): Promise<Connection | Response> {
    const arrived = await classify(this.parts, this.admissions, arrivalOf<AnyArrival>(request));
    switch (arrived.kind) {
      case "returning":
        return this.#resume(arrived.connection, arrived.arrival, socket);
      case "ended":
        return this.parts.lastFrames.answer(arrived.id, Date.now());
      case "fresh":
        return this.#acceptFresh(arrived, socket);
      case "overflow":
        return this.#overflow(arrived.arrival, socket);
      case "rpc":
        return this.#acceptRpc(arrived.arrival, socket);
      default:
        return arrived satisfies never;
    }
  }

  /** Accepts a new client, and then handles posts that it sent before its transport began. */
  #acceptFresh(
    arrived: ClassifiedArrival & { kind: "fresh" },
    socket: WebSocket,
  ): Connection | Response {
    const { connections, earlyPosts } = this.parts;
    const begun = acceptSignalR(this.parts, socket, arrived);
    for (const body of earlyPosts.take(arrived.id)) {
      const connection = connections.get(arrived.id);
      if (connection) this.receive(connection, body);
    }
    return begun;
  }

  #acceptRpc(arrival: JsonRpcArrival, socket: WebSocket): Connection {
    const connection = acceptRpc(this.parts, socket, arrival);
    this.inBackground(this.welcome(connection));
    return connection;
  }

  /** Accepts a client of a full room. Its frames wait until the room is followed. */
  #overflow(arrival: OverflowArrival, socket: WebSocket): Connection {
    const connection = acceptOverflow(this.parts, socket, arrival);
    this.inBackground(this.#enter(connection, arrival));
    return connection;
  }

  /** Attaches another socket to a connection. A newer token takes effect like a refresh, in the background. */
  #resume(connection: Connection, arrival: SignalRArrival, socket: WebSocket): Connection {
    if (checkReturn(connection, arrival))
      this.inBackground(this.receiver.refreshed(this.host, connection, arrival.user));
    resume(this.parts, connection, socket);
    return connection;
  }

  async #enter(connection: Connection, arrival: OverflowArrival): Promise<void> {
    try {
      await followRoom(this.parts, connection, arrival);
    } catch (error) {
      logWarning("overflow_failed", { hub: this.parts.address.hub, room: arrival.room, error });
      return this.parts.connections.close(connection, CLOSE.interrupted);
    }
    await this.welcome(connection);
  }

  protected override handshake(connection: Connection, frame: string | ArrayBuffer): void {
    if (shakeHands(this.parts, connection, frame)) this.inBackground(this.#welcomeBack(connection));
  }

  /** Rejoins groups before the connection opens, so that the hub's `connected` finds it in them. */
  async #welcomeBack(connection: Connection): Promise<void> {
    await rejoinGroups(this.parts, connection);
    await this.welcome(connection);
  }

  protected override opening(connection: Connection): void {
    this.parts.remembered?.opening(connection);
  }

  /**
   * A resumable connection outlives a broken socket. A socket that the client closed ends it, unless the client polls.
   */
  protected override end(socket: WebSocket, code: number, error?: Error): void {
    const { connections, followed, remembered, resumables } = this.parts;
    const connection = connections.of(socket);
    const outlives = connection?.resumable && (error || connection.resumable.keepsAll);
    if (!connection || !outlives) return super.end(socket, code, error);
    if (connection.socket !== socket) return;
    // Later messages may never reach the client on this connection, so its present positions are kept.
    remembered?.keep(connection, followed.causesOf(connection));
    resumables.socketLost(connection, Date.now());
  }

  /**
   * Without a handshake the hub gets no `disconnected`, because it got no `connected`. A failed write for the client's
   * return, as on a full disk, does not keep rooms and the hub from handling the end.
   */
  protected override left(connection: Connection, end: End): void {
    this.inBackground(keepForReturn(this.parts, connection));
    if (connection.protocol !== beforeHandshake) super.left(connection, end);
  }

  /** Called when the client has connected to a relay of another level: closes its connection here. */
  async recall(
    userId: string,
    client: string,
    upward: boolean,
  ): Promise<readonly RememberedRoom[]> {
    replaceOld(this.parts, { userId, client });
    return recallLocally(this.parts, { userId, client }, upward);
  }

  /** Called by negotiation. Undefined if the relay is full: the endpoint then tries one of the next level. */
  seat(user: AccountUser, request: SeatRequest): Promise<Seat | Refused | undefined> {
    return refusable(reserveSeat(this.parts, user, request), this.parts.activity);
  }

  /**
   * A POST of a client that has a poll or event stream, or the end of a polling connection. The connection token must
   * be the one of the bearer's user. Refuses like `AdmissionCache.check`.
   */
  post(token: string, bearer: TokenFacts, body: PostedBody): Promise<PostOutcome | Refused> {
    return refusable(this.#post(token, bearer, body));
  }

  async #post(token: string, bearer: TokenFacts, body: PostedBody): Promise<PostOutcome> {
    const seat = await this.parts.seats.read(token, bearer.id);
    if (!seat) return "unknown"; // Before the call to the account, as in classify-arrival.ts.
    await this.admissions.check(bearer);
    const connection = this.parts.connections.get(seat.id);
    if (!connection) return this.#postEarly(seat, bearer, body);
    const { transport = "WebSockets" } = connection.attached;
    if (transport === "WebSockets") return transport;
    if (body instanceof ArrayBuffer) this.receive(connection, body);
    else if (body === "ping") this.parts.connections.touch(connection, Date.now());
    else if (body === "end" && transport === "LongPolling")
      this.parts.connections.close(connection, CLOSE.normal);
    return transport;
  }

  /** A POST of a client that has negotiated, and whose transport has not begun yet or has ended. */
  #postEarly(seat: ReadSeat, by: TokenFacts, body: PostedBody): PostOutcome {
    const { id, until } = seat;
    if (seat.isLapsed()) return "ended";
    if (!(body instanceof ArrayBuffer)) return "early";
    const posted = { id, account: by.account ?? by.id, body, until };
    return this.parts.earlyPosts.keep(posted, Date.now()) ? "early" : "full";
  }

  async refresh(token: string, user: User): Promise<RefreshOutcome | RefreshRefusal> {
    const { parts, host, receiver } = this;
    return refreshConnection({ parts, host, receiver }, token, user);
  }

  /** Undefined if the relay is full: the endpoint then tries one of the next level. */
  async answer(arrival: HttpCallArrival, frame: string): Promise<HttpCallReply | undefined> {
    const { activity, seats } = this.parts;
    return seats.isFull ? undefined : refusable(this.#answer(arrival, frame), activity);
  }

  async #answer(arrival: HttpCallArrival, frame: string): Promise<HttpCallReply> {
    if (!this.parts.isServed) throw new HubError("hub_not_found", "There is no such hub.");
    this.parts.connections.inbound.checkCalm(arrival.user);
    await this.admissions.check(factsOf(arrival.user));
    checkUser(this.parts, arrival.user);
    return { text: await this.#httpCalls.answer(arrival, frame) };
  }

  async hangUp(random: string): Promise<void> {
    this.#httpCalls.hangUp(random);
  }

  /** The worker reports numbers: frames of a poll that it has, or characters that its caller's reader has taken. */
  override webSocketMessage(socket: WebSocket, frame: string | ArrayBuffer): void {
    const connection = this.parts.connections.of(socket);
    if (!connection) return;
    const { serverPings } = this.parts;
    if (serverPings.isAwaiting && serverPings.takeFrame(connection, frame)) return;
    const { transport, reportsTaken } = connection.attached;
    if (reportsTaken && Number(frame) > 0) countReadCharacters(connection, Number(frame));
    else if (transport === undefined) this.receive(connection, frame);
    else if (transport === "ServerSentEvents") countReadCharacters(connection, Number(frame));
    else if (connection.socket === socket) this.parts.polls.confirm(connection, Number(frame));
  }
}
