// The contexts of hub code: one for each call of a connection, and a smaller one for the hooks of a room, which have no
// caller.

import type { Position, Topic } from "../../model/topic.ts";
import type { User } from "../../model/user.ts";
import type { ConnectRequest } from "../../model/client-request.ts";
import type { Asks, Clients, Sends } from "../../model/audiences.ts";
import type { Runtime } from "./runtime.ts";

export type { Asks, Clients, Sends } from "../../model/audiences.ts";
export type { Runtime } from "./runtime.ts";

/** The audiences of a call. */
export interface CallerClients<C> extends Clients<C> {
  /** The connection that made this call. */
  readonly caller: Asks<C>;
  /** Every connection of the hub except the caller. */
  readonly others: Sends<C>;
  /** Every member of the group except the caller. Throws `invalid_name`. */
  othersIn(group: string): Sends<C>;
  /**
   * The same audiences, for messages that are published only if the room is still at this position, that is, only joins
   * and leaves came after it. Otherwise they reject with `conflict`: read again, and decide again.
   */
  at(position: Position): Clients<C>;
}

/** A message in a room's history. */
export interface Entry {
  readonly position: Position;
  /** The client method. */
  readonly target: string;
  readonly args: readonly unknown[];
  /** Time of publication, in milliseconds since 1970. */
  readonly at: number;
}

/** A user in a room's presence, with one or more connections. */
export interface Member {
  readonly userId: string;
  /** Time of the user's join, in milliseconds since 1970. */
  readonly since: number;
  readonly connections: number;
  /** The state set by the latest `track`, of any of the user's connections; null if there is none. */
  readonly state: unknown;
}

/** Numbers of users and connections in a room. */
export interface Counts {
  readonly users: number;
  readonly connections: number;
}

/**
 * Read access to a room. Each read costs one call to the room's object, unless hub code runs in that object already. A
 * read sees every message that the same object published there before it.
 */
export interface RoomView {
  readonly topic: Topic;
  readonly history: {
    /**
     * The newest messages, oldest first. At most those that the room keeps, and `limits.recovery` (500); fewer if they
     * are large.
     */
    last(count: number): Promise<Entry[]>;
    /**
     * Messages after the position, oldest first. At most `limits.recovery` (500), and fewer if they are large: to read
     * on, pass the position of the last one. Throws `history_gone` if the log no longer has all of them, or began a new
     * epoch.
     */
    since(position: Position): Promise<Entry[]>;
    /** The room's newest position, also without messages: read it before a check, and pass it to `clients.at`. */
    position(): Promise<Position>;
  };
  readonly presence: {
    /**
     * A page of the present users, ordered by user id; empty unless the hub's `presence` is `users`. `after` is the
     * last id of the page before. `limit` is at most `limits.presencePage`, which is also its default (100).
     */
    list(page?: { after?: string; limit?: number }): Promise<Member[]>;
    count(): Promise<Counts>;
  };
}

/** A room that hub code may put connections into. */
export interface Room extends RoomView {
  /**
   * Puts the caller's connection into the room: it receives the room's messages until it leaves or closes. The hub's
   * rules for the room do not apply to hub code. May be repeated. Throws `too_many_groups` beyond
   * `limits.groupsPerConnection` (100).
   */
  join(): Promise<void>;
  /**
   * Takes the caller's connection out of the room. May be repeated. Throws `invalid_request` for the room that the
   * connection is attached to: only closing ends that.
   */
  leave(): Promise<void>;
  /** Like `join`, for any connection of the hub. Does nothing if the connection is gone. */
  add(connectionId: string): Promise<void>;
  /** Like `leave`, for any connection of the hub. Does nothing if the connection is gone. */
  remove(connectionId: string): Promise<void>;
  readonly presence: RoomView["presence"] & {
    /**
     * Publishes a state of the caller's user to the room's presence, in order with its messages. Throws `too_large`
     * beyond `limits.trackBytes` (1,024 bytes of JSON); `forbidden` if the user is not present in the room, or if the
     * hub's `presence` is not `users`.
     */
    track(state: unknown): Promise<void>;
    /** Sets the state to null. */
    untrack(): Promise<void>;
  };
}

/**
 * Values that hub code stores with a connection, across its calls and the hibernation of its object. They are stored as
 * JSON: a Date is read back as a string.
 */
export interface Items {
  /** Undefined for an unknown key. */
  get(key: string): unknown;
  /** Throws `too_large` if all items together exceed 4,096 bytes of JSON, or do not fit next to the token's claims. */
  set(key: string, value: unknown): void;
  delete(key: string): void;
  keys(): string[];
}

/** The context of a room's hooks, which have no caller: `joined`, `left` and `presenceChanged`. */
export interface RoomContext<C> extends Runtime {
  readonly clients: Clients<C>;
  /** The room whose presence changed. */
  readonly room: Topic;
  /** The hub's `all` room. Its presence is the users online, if the hub has `online: true`; otherwise it is empty. */
  readonly all: RoomView;
  group(name: string): RoomView;
  order(id: string): RoomView;
}

/** The context of `joined` and `left`. The user has an id only: after a crash nothing else of it is known. */
export interface MemberContext<C> extends RoomContext<C> {
  readonly user: { readonly id: string };
  /**
   * Trace context of the connection with which the user has joined or left, if it had one; publications of the hook
   * have it, too. Undefined after a crash.
   */
  readonly trace: string | undefined;
}

/** The context of one call of a connection, and of its `connected` and `disconnected`. */
export interface HubContext<C> extends Omit<
  RoomContext<C>,
  "room" | "clients" | "group" | "order"
> {
  readonly connectionId: string;
  /** The user of the connection's current token. */
  readonly user: User;
  readonly clients: CallerClients<C>;
  /** The room that the connection is attached to; `all` for a connection to the whole hub, as SignalR's are. */
  readonly room: Topic;
  /** The request that opened a connection to the whole hub, without its token. Undefined for sockets of one room. */
  readonly request: ConnectRequest | undefined;
  /**
   * Trace context (`traceparent` of W3C) of the request that opened the connection, or of the HTTP request of a call.
   * Publications of the call have it, too.
   */
  readonly trace: string | undefined;
  readonly items: Items;
  group(name: string): Room;
  order(id: string): Room;
  /** Closes the caller's connection with code 4501, after which clients do not reconnect. */
  abort(): void;
  /** Aborted when the caller cancels the call, or its connection ends. */
  readonly signal: AbortSignal;
}
