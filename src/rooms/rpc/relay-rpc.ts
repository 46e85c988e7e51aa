// Calls of the edge and of other relays to a relay, in addition to sockets and to the calls of `HolderRpc`.

import type { Position } from "../../model/topic.ts";
import type { AccountUser, Grant, TokenFacts, User } from "../../model/user.ts";
import type { BridgedTransport, HttpCallArrival, ObjectFetch } from "./arrival.ts";
import type { Refused } from "./fault.ts";
import type { HolderRpc } from "./room-rpc.ts";

/** A place at a relay, given out by negotiation: the public connection id, and the token that proves it. */
export interface Seat {
  readonly id: string;
  readonly token: string;
}

/** Properties of a SignalR client that are known before its handshake. */
export interface ClientTraits {
  /** Whether stateful reconnect was negotiated. */
  readonly statefulReconnect: boolean;
  /** Whether it is one of Microsoft's clients, which ping by themselves. */
  readonly pings: boolean;
}

/** A client that negotiates. */
export interface SeatRequest extends ClientTraits {
  /** False for users in negotiate's version 0, in which the client's token is its public id. */
  readonly hasSecretToken: boolean;
  readonly grant?: Grant | undefined;
  /** When the worker sent it, milliseconds since 1970. */
  readonly sentAt?: number;
}

/**
 * The transport of the connection that a POST was for, or why it has none: `unknown`: this relay has not issued the
 * token to the user; `ended`: the connection has ended, or may not begin any more; `early`: the transport has not
 * begun, and the body waits for it; `full`: too much waits already.
 */
export type PostOutcome = "unknown" | "ended" | "early" | "full" | "WebSockets" | BridgedTransport;

export type PostedBody = ArrayBuffer | "end" | "ping";

/** Answers of a JSON-RPC request as text; empty if all were notifications. */
export type HttpCallReply = { readonly text: string } | Refused;

/** The effects of a fresh token. */
export interface RefreshOutcome {
  /** When the new token ends, leeway included; milliseconds since 1970. */
  readonly expiresAt: number;
  /** Rooms, as topics, that it does not admit and that the connection has left. */
  readonly dropped: readonly string[];
}

/** Why a connection's token was not refreshed, as a code. */
export interface RefreshRefusal {
  readonly code: string;
}

/** A room that a client was in when its connection ended (`rememberGroups`). */
export interface RememberedRoom {
  readonly room: string;
  /** The client's position there; undefined if nothing was published, so that nothing can be missing. */
  readonly position: Position | undefined;
  /** Whether the token has joined it, and not hub code: another token may not admit it. */
  readonly granted: boolean;
  /** Id of the client's connection at that time: messages that excluded it are not replayed to the next. */
  readonly connection: string;
}

export interface RelayRpc extends HolderRpc, ObjectFetch {
  /**
   * A seat for a client that negotiates; undefined if the relay is full. Refuses with `too_many_connections`, and like
   * a connection if the relay cannot keep up.
   */
  seat(user: AccountUser, request: SeatRequest): Promise<Seat | Refused | undefined>;
  /**
   * A message that a client posts outside its transport, or the end of its connection. A ping only shows that the
   * client is alive. Refuses like the user's account.
   */
  post(token: string, bearer: TokenFacts, body: PostedBody): Promise<PostOutcome | Refused>;
  /** Replaces the token of a connection. */
  refresh(token: string, user: User): Promise<RefreshOutcome | RefreshRefusal>;
  /** Runs the calls of a JSON-RPC request over HTTP; `frame` is its body. Undefined if the relay is full. */
  answer(arrival: HttpCallArrival, frame: string): Promise<HttpCallReply | undefined>;
  /** Cancels the calls of an HTTP request whose client is gone. */
  hangUp(random: string): Promise<void>;
  /**
   * Rooms of a client that was at this relay before; deletes them. `upward`: also those that relays of higher levels
   * remember.
   */
  recall(userId: string, client: string, upward: boolean): Promise<readonly RememberedRoom[]>;
}
