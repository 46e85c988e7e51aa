// A relay's Durable Object: holds connections that are in many rooms, and follows those rooms for them. SignalR's
// clients live here, and whoever comes to a room that is full.

import { CLOSE, HubError } from "../model/errors.ts";
import type { ConnectRequest } from "../model/request.ts";
import type { User } from "../model/user.ts";
import {
  handshakeFrame,
  handshakeResponse,
  readHandshake,
  type Handshake,
} from "../protocols/handshake.ts";
import { unspoken } from "../protocols/unspoken.ts";
import { connectionId } from "./address.ts";
import { handedOver } from "./attach.ts";
import { save, type Connection } from "./connection.ts";
import { HubObject } from "./object.ts";
import { enterRoom, takeIn, type Overflow } from "./overflow.ts";
import type { ObjectEnv } from "./peers.ts";
import { backIntoGroups, recallHere, rememberGroups } from "./recall.ts";
import { RelayParts } from "./relay-parts.ts";
import type { RememberedRoom } from "./remembered.ts";
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
}

/** How long a client that came back has to say where it goes on. */
const GO_ON_MS = 5_000;

export class RelayObject<Env extends ObjectEnv = ObjectEnv> extends HubObject<Env, RelayParts> {
  protected override assemble(): RelayParts {
    return new RelayParts(this.ctx, this.env, this.receiver, {
      dropped: (connection, why) => this.gone(connection, why),
    });
  }

  /** Throws `relay_full`, `connection_not_found`, `duplicate_id` or `too_many_connections`. */
  protected override async begin(socket: WebSocket, request: Request): Promise<Connection> {
    const arrival = handedOver<HubArrival | Overflow>(request);
    if (arrival.kind === "room") return this.#takeIn(socket, arrival);
    const { token, user } = arrival;
    if (token === undefined && this.parts.seats.isFull)
      throw new HubError("relay_full", "This relay is full.");
    const seat = token === undefined ? undefined : await this.parts.seats.read(token, user.id);
    const known = seat && this.parts.connections.get(seat.id);
    if (known) return this.#comeBack(known, socket, user);
    if (token !== undefined && (!seat || seat.lapsed)) throw notFound();
    if (token !== undefined) this.parts.seats.take(token);
    return this.#accept(socket, arrival, seat?.id ?? connectionId(this.parts.home));
  }

  /** From a room that is full: from here on it is followed for the connection. */
  #takeIn(socket: WebSocket, arrival: Overflow): Connection {
    if (this.parts.seats.isFull) throw new HubError("relay_full", "This relay is full.");
    this.#checkUser(arrival.user);
    const connection = takeIn(this.parts, socket, arrival, Date.now());
    this.inBackground(this.#enter(connection, arrival));
    return connection;
  }

  async #enter(connection: Connection, arrival: Overflow): Promise<void> {
    try {
      await enterRoom(this.parts, connection, arrival);
    } catch (error) {
      console.warn("A room that is full could not be entered:", error);
      return this.parts.connections.close(connection, CLOSE.interrupted);
    }
    await this.welcome(connection);
  }

  #accept(socket: WebSocket, { user, request, client, token }: HubArrival, id: string): Connection {
    const { agenda, connections, settings } = this.parts;
    this.#checkUser(user);
    const now = Date.now();
    const deadline = now + settings.signalR.handshakeSeconds * 1000;
    const connection = connections.accept(socket, {
      ...{ id, protocol: unspoken.name, user, request, deadline, openCalls: [] },
      ...{ connectedAt: now, heardAt: now, negotiated: token !== undefined },
      ...(client !== undefined && { client }),
    });
    agenda.arm(Math.min(user.expiresAt, deadline));
    return connection;
  }

  #checkUser({ id }: User): void {
    const { connectionsPerUser: most } = this.parts.settings.limits;
    let count = 0;
    for (const { user } of this.parts.connections.all) if (user.id === id) count++;
    if (count >= most)
      throw new HubError("too_many_connections", `A user has ${most} connections here at most.`);
  }

  /** Another socket for a connection that is here: only where it may be resumed, and its user is the token's. */
  #comeBack(connection: Connection, socket: WebSocket, user: User): Connection {
    if (!connection.resumable)
      throw new HubError("duplicate_id", "This connection has its socket.");
    const deadline = Date.now() + GO_ON_MS;
    this.parts.resumables!.resumed(connection, socket, { user, deadline });
    this.parts.agenda.arm(deadline);
    return connection;
  }

  protected override get reachesUsers(): boolean {
    return this.parts.settings.reachUsers ?? true;
  }

  protected override take(connection: Connection, frame: string | ArrayBuffer): void {
    if (connection.protocol === unspoken) this.#shakeHands(connection, frame);
    else super.take(connection, frame);
  }

  #shakeHands(connection: Connection, frame: string | ArrayBuffer): void {
    const { connections, settings } = this.parts;
    const { rest } = connection;
    const shaken = readHandshake(frame, settings.limits, { binary: true, ...(rest && { rest }) });
    connection.rest = shaken.type === "incomplete" ? shaken.rest : undefined;
    if (shaken.type === "handshake") this.#agree(connection, shaken);
    if (shaken.type !== "refused") return;
    const detail = settings.detailedErrors && shaken.detail ? ` ${shaken.detail}` : "";
    connections.refuse(connection, handshakeResponse(shaken.error + detail), CLOSE.malformed);
  }

  #agree(
    connection: Connection,
    { protocol, version, rest }: Handshake & { type: "handshake" },
  ): void {
    const { resumables, settings } = this.parts;
    const spelling = settings.signalR.verbatim ? "-verbatim" : "";
    const name = `${protocol === "json" ? "signalr-json" : "signalr-msgpack"}${spelling}`;
    save(connection, { protocol: name, deadline: undefined });
    if (version === 2 && connection.attached.negotiated) resumables?.begin(connection);
    connection.answer = handshakeFrame(protocol);
    if (rest !== undefined) connection.early.push(rest);
    this.inBackground(this.#welcomeBack(connection));
  }

  async #welcomeBack(connection: Connection): Promise<void> {
    await backIntoGroups(this.parts, connection);
    await this.welcome(connection);
  }

  /** A socket that broke may leave its connection behind; one that was closed does not. */
  protected override end(socket: WebSocket, error?: Error): void {
    const connection = this.parts.connections.of(socket);
    if (!error || !connection?.resumable) return super.end(socket, error);
    if (connection.socket === socket) this.parts.resumables!.dropped(connection, Date.now());
  }

  protected override left(connection: Connection, error: Error | undefined, asleep: boolean): void {
    this.parts.resumables?.end(connection);
    rememberGroups(this.parts, connection);
    // Who never shook hands was never there, for hubs.
    if (connection.protocol !== unspoken) super.left(connection, error, asleep);
  }

  async recall(
    userId: string,
    client: string,
    upward: boolean,
  ): Promise<readonly RememberedRoom[]> {
    return recallHere(this.parts, userId, client, upward);
  }

  /** A seat for a client that negotiates; undefined where the relay is full. */
  async seat(userId: string, apart: boolean): Promise<Seat | undefined> {
    return this.parts.seats.reserve(userId, apart);
  }

  /** Whether a token is that of a connection here. */
  async knows(token: string, userId: string): Promise<boolean> {
    const seat = await this.parts.seats.read(token, userId);
    return seat !== undefined && this.parts.connections.get(seat.id) !== undefined;
  }
}

const notFound = () => new HubError("connection_not_found", "No Connection with that ID");
