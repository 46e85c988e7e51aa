// A relay's Durable Object: holds connections that are in many rooms, and follows those rooms for them. SignalR's
// clients live here, and whoever comes to a room that is full.

import { CLOSE, HubError } from "../../model/errors.ts";
import { logWarning } from "../../model/logger.ts";
import type { ConnectRequest } from "../../model/client-request.ts";
import { factsOf, type TokenFacts } from "../../model/token-rules.ts";
import { applyGrant, isNewer, type Grant, type User } from "../../model/user.ts";
import { beforeHandshake } from "../../protocols/before-handshake.ts";
import { connectionId } from "../rpc/object-names.ts";
import { answered, Asking, type Answered, type AskArrival } from "./http-calls.ts";
import { handedOver } from "../room/enter-room.ts";
import { checkFits, type Attached, type Connection } from "../connection/connection.ts";
import { shakeHands } from "./signalr-handshake.ts";
import { HubObject } from "../object/hub-object.ts";
import { enterRoom, takeIn, type Overflow } from "./overflow.ts";
import type { ObjectEnv } from "../rpc/room-rpc.ts";
import type { Refreshed } from "../object/host.ts";
import { backIntoGroups, recalled, rememberAway, rememberGroups } from "./rejoin-groups.ts";
import { refreshed, type Unrefreshed } from "./refresh-connection.ts";
import { RelayParts } from "./relay-parts.ts";
import type { RememberedRoom } from "./remembered-groups.ts";
import { takeRpc, type RpcArrival } from "./accept-rpc.ts";
import type { Seat } from "./seats.ts";

/** What the edge knows of a client that comes for a whole hub. */
export interface HubArrival {
  readonly kind: "hub";
  readonly user: User;
  /** What negotiation gave it; absent where that was skipped. */
  readonly token?: string;
  readonly request: ConnectRequest;
  /** Which of its user's clients it is, by its own word. */
  readonly client?: string;
  readonly transport?: NonNullable<Attached["transport"]>;
}

/** The transport of the connection that something was posted to. */
export type Posted = "unknown" | "WebSockets" | NonNullable<Attached["transport"]>;

/** How long a client that came back has to say where it goes on. */
const GO_ON_MS = 5_000;

export class RelayObject<Env extends ObjectEnv = ObjectEnv> extends HubObject<Env, RelayParts> {
  readonly #asking = new Asking(this.parts);

  protected override assemble(): RelayParts {
    return new RelayParts(this.ctx, this.env, this.receiver, {
      dropped: (connection, why) => this.gone(connection, why),
    });
  }

  /** Throws `relay_full`, `connection_not_found`, `duplicate_id`, `too_large` or `too_many_connections`. */
  protected override async begin(
    socket: WebSocket,
    request: Request,
  ): Promise<Connection | Response> {
    const arrival = handedOver<HubArrival | Overflow | RpcArrival>(request);
    const { user } = arrival;
    const token = arrival.kind === "hub" ? arrival.token : undefined;
    if (token === undefined) this.#checkRoom();
    const seat = token === undefined ? undefined : await this.parts.seats.read(token, user.id);
    const comesBack = seat !== undefined && this.parts.connections.get(seat.id) !== undefined;
    await (comesBack ? this.admissions.check(factsOf(user)) : this.admissions.begin(user));
    if (arrival.kind !== "hub") return this.#takeIn(socket, arrival);
    const known = seat && this.parts.connections.get(seat.id);
    if (known) return this.#comeBack(known, socket, arrival);
    if (seat && this.parts.polls.hasEnded(seat.id)) return this.parts.polls.last(seat.id);
    if (token !== undefined && (!seat || seat.lapsed)) throw notFound();
    const grant = token === undefined ? undefined : this.parts.seats.take(token);
    const id = seat?.id ?? connectionId(this.parts.home);
    const admitted = { ...arrival, user: applyGrant(user, grant) };
    if (arrival.transport !== "LongPolling") return this.#accept(socket, admitted, id);
    this.#checkUser(user);
    return this.parts.polls.begin(this.#attached(admitted, id));
  }

  /** Of JSON-RPC's clients: of the whole hub, or from a room that is full and is followed for them from here on. */
  #takeIn(socket: WebSocket, arrival: Overflow | RpcArrival): Connection {
    this.#checkRoom();
    this.#checkUser(arrival.user);
    if (arrival.kind === "rpc") {
      const caller = takeRpc(this.parts, socket, arrival);
      this.inBackground(this.welcome(caller));
      return caller;
    }
    const connection = takeIn(this.parts, socket, arrival, Date.now());
    this.inBackground(this.#enter(connection, arrival));
    return connection;
  }

  async #enter(connection: Connection, arrival: Overflow): Promise<void> {
    try {
      await enterRoom(this.parts, connection, arrival);
    } catch (error) {
      logWarning("overflow_failed", { hub: this.parts.home.hub, room: arrival.room, error });
      return this.parts.connections.close(connection, CLOSE.interrupted);
    }
    await this.welcome(connection);
  }

  #accept(socket: WebSocket, arrival: HubArrival, id: string): Connection {
    this.#checkUser(arrival.user);
    const attached = this.#attached(arrival, id);
    const connection = this.parts.connections.accept(socket, attached);
    this.parts.agenda.arm(Math.min(arrival.user.expiresAt, attached.deadline!));
    return connection;
  }

  #attached({ user, request, client, token, transport }: HubArrival, id: string): Attached {
    const now = Date.now();
    const deadline = now + this.parts.settings.signalR.handshakeSeconds * 1000;
    return {
      ...{ id, protocol: beforeHandshake.name, user, request, deadline, openCalls: [] },
      ...{ connectedAt: now, heardAt: now, negotiated: token !== undefined },
      ...(client !== undefined && { client }),
      ...(transport && { transport }),
    };
  }

  #checkRoom(): void {
    if (this.parts.seats.isFull) throw new HubError("relay_full", "This relay is full.");
  }

  #checkUser({ id }: User): void {
    const { connectionsPerUser: most } = this.parts.settings.limits;
    if (this.parts.countOf(id) >= most)
      throw new HubError("too_many_connections", `A user has ${most} connections here at most.`);
  }

  /** Another socket for a connection that is here: a poll, or where it may be resumed. Each brings a token. */
  #comeBack(
    connection: Connection,
    socket: WebSocket,
    { user, transport }: HubArrival,
  ): Connection {
    if (connection.attached.transport !== transport)
      throw new HubError("wrong_kind", "Cannot change transports mid-connection");
    const { agenda, polls, resumables } = this.parts;
    if (transport !== "LongPolling" && !connection.resumable)
      throw new HubError("duplicate_id", "This connection has its socket.");
    if (isNewer(user, connection.user)) {
      checkFits({ ...connection.attached, user });
      this.inBackground(this.receiver.refreshed(this.host, connection, user));
    }
    if (transport === "LongPolling") return polls.poll(connection, socket);
    const deadline = Date.now() + GO_ON_MS;
    this.parts.remembered?.forget(connection);
    resumables.resumed(connection, socket, { deadline });
    agenda.arm(deadline);
    return connection;
  }

  protected override get reachesUsers(): boolean {
    return this.parts.settings.reachUsers ?? true;
  }

  protected override take(connection: Connection, frame: string | ArrayBuffer): void {
    if (connection.protocol !== beforeHandshake) return super.take(connection, frame);
    if (shakeHands(this.parts, connection, frame)) this.inBackground(this.#welcomeBack(connection));
  }

  async #welcomeBack(connection: Connection): Promise<void> {
    await backIntoGroups(this.parts, connection);
    await this.welcome(connection);
  }

  /** A socket that broke may leave its connection behind; one that was closed does not. */
  protected override end(socket: WebSocket, code: number, error?: Error): void {
    const connection = this.parts.connections.of(socket);
    const outlives = connection?.resumable && (error || connection.resumable.keepsAll);
    if (!connection || !outlives) return super.end(socket, code, error);
    if (connection.socket !== socket) return;
    rememberAway(this.parts, connection);
    this.parts.resumables.dropped(connection, Date.now());
  }

  protected override left(connection: Connection, error: Error | undefined, asleep: boolean): void {
    this.parts.polls.ended(connection);
    this.parts.resumables.end(connection);
    rememberGroups(this.parts, connection);
    // Who never shook hands was never there, for hubs.
    if (connection.protocol !== beforeHandshake) super.left(connection, error, asleep);
  }

  async recall(
    userId: string,
    client: string,
    upward: boolean,
  ): Promise<readonly RememberedRoom[]> {
    return recalled(this.parts, userId, client, upward);
  }

  /** A seat for a client that negotiates; undefined where the relay is full. */
  async seat(userId: string, apart: boolean, grant?: Grant): Promise<Seat | undefined> {
    return this.parts.seats.reserve(userId, apart, grant);
  }

  /** What a client sends beside its transport, or that it ends. `unknown` where there is no such connection. */
  async post(token: string, bearer: TokenFacts, body: ArrayBuffer | "end"): Promise<Posted> {
    await this.admissions.check(bearer);
    const seat = await this.parts.seats.read(token, bearer.id);
    const connection = seat && this.parts.connections.get(seat.id);
    if (!connection) return "unknown";
    const { transport = "WebSockets" } = connection.attached;
    if (transport === "WebSockets") return transport;
    if (body !== "end") this.#posted(connection, body);
    else if (transport === "LongPolling") this.parts.connections.close(connection, CLOSE.normal);
    return transport;
  }

  /** A fresh token for a connection; or why not. */
  async refresh(token: string, user: User): Promise<Refreshed | Unrefreshed> {
    const { parts, host, receiver } = this;
    return refreshed({ parts, host, receiver }, token, user);
  }

  /** JSON-RPC over HTTP: the answer, empty where nothing wants one; undefined where the relay is full. */
  async answer(arrival: AskArrival, frame: string): Promise<Answered | undefined> {
    return this.parts.seats.isFull ? undefined : answered(this.#answer(arrival, frame));
  }

  async #answer(arrival: AskArrival, frame: string): Promise<string> {
    if (!this.parts.served) throw new HubError("hub_not_found", "There is no such hub.");
    await this.admissions.check(factsOf(arrival.user));
    this.#checkUser(arrival.user);
    this.parts.came(frame);
    const { host, receiver } = this;
    return this.#asking.ask(arrival, frame, { host, receiver });
  }

  async hangUp(random: string): Promise<void> {
    this.#asking.hangUp(random);
  }

  #posted(connection: Connection, body: ArrayBuffer): void {
    this.parts.connections.heard(connection, Date.now());
    this.parts.came(body);
    this.take(connection, body);
  }

  /** A poll's own socket brings no messages: only how many of ours it took. */
  override webSocketMessage(socket: WebSocket, frame: string | ArrayBuffer): void {
    const connection = this.parts.connections.of(socket);
    if (connection?.attached.transport !== "LongPolling") super.webSocketMessage(socket, frame);
    else if (connection.socket === socket) this.parts.polls.took(connection, Number(frame));
  }
}

const notFound = () => new HubError("connection_not_found", "No Connection with that ID");
