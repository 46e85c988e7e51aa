// What hub code sees of the world: one context per call, and a smaller one where nobody calls.

import type { Position } from "../../model/position.ts";
import type { Topic } from "../../model/topic.ts";
import type { User } from "../../model/user.ts";
import type { ConnectRequest } from "../../model/client-request.ts";
import type { Asks, Clients, Sends } from "../../model/audiences.ts";

export type { Asks, Clients, Sends } from "../../model/audiences.ts";

export interface CallerClients<C> extends Clients<C> {
  readonly caller: Asks<C>;
  /** Every connection of the hub but the caller. */
  readonly others: Sends<C>;
  /** Every member of the group but the caller. */
  othersIn(group: string): Sends<C>;
}

/** A message of a room's log. */
export interface Entry {
  readonly position: Position;
  readonly target: string;
  readonly args: readonly unknown[];
  /** Milliseconds since 1970. */
  readonly at: number;
}

export interface Member {
  readonly userId: string;
  /** Since when, milliseconds since 1970. */
  readonly since: number;
  readonly connections: number;
  /** What `track` said last; null where nothing was. */
  readonly state: unknown;
}

export interface Counts {
  readonly users: number;
  readonly connections: number;
}

/** What can be read of a room. Reading costs a call to its object, unless the code runs there. */
export interface RoomView {
  readonly topic: Topic;
  readonly history: {
    /** The newest messages, oldest first; at most what the room keeps. */
    last(count: number): Promise<Entry[]>;
    /** All after the position. Throws `history_gone` where the log no longer has all of them. */
    since(position: Position): Promise<Entry[]>;
  };
  readonly presence: {
    /** A page of who is there, ordered by user id; `after` is the last id of the page before. */
    list(page?: { after?: string; limit?: number }): Promise<Member[]>;
    count(): Promise<Counts>;
  };
}

/** A room the caller's connection may be put into. */
export interface Room extends RoomView {
  /** The caller's connection gets what is said there, until it leaves or closes. Throws `too_many_groups`. */
  join(): Promise<void>;
  leave(): Promise<void>;
  /** The same for any connection of the hub; nothing happens where it is gone. Throws `too_many_groups`. */
  add(connectionId: string): Promise<void>;
  remove(connectionId: string): Promise<void>;
  readonly presence: RoomView["presence"] & {
    /** Shows the caller's state to everybody in the room; numbered like messages. Throws `too_large`. */
    track(state: unknown): Promise<void>;
    untrack(): Promise<void>;
  };
}

/** A bag for each connection. */
export interface Items {
  get(key: string): unknown;
  /** Throws `too_large`. */
  set(key: string, value: unknown): void;
  delete(key: string): void;
  keys(): string[];
}

/** Where hub code runs because of a room and not of a caller: `joined`, `left`, `presenceChanged`. */
export interface RoomContext<C> {
  readonly clients: Clients<C>;
  /** The room it is about. */
  readonly room: Topic;
  /** The hub's `all` room: its presence is who is online, where the hub keeps that (`online`). */
  readonly all: RoomView;
  group(name: string): RoomView;
  order(id: string): RoomView;
}

/** `joined` and `left` know the user by id only: after a crash nothing else of them is left. */
export interface MemberContext<C> extends RoomContext<C> {
  readonly user: { readonly id: string };
}

/** One call of one connection. */
export interface HubContext<C> extends Omit<
  RoomContext<C>,
  "room" | "clients" | "group" | "order"
> {
  readonly connectionId: string;
  readonly user: User;
  readonly clients: CallerClients<C>;
  /** The room the connection came for; `all` where it came for the whole hub, as SignalR's do. */
  readonly room: Topic;
  /** The request a SignalR connection began with, without its token. Sockets of one room do not keep theirs. */
  readonly request: ConnectRequest | undefined;
  /** What hub code keeps beside the connection: 4,096 bytes of JSON, across calls and sleep. */
  readonly items: Items;
  group(name: string): Room;
  order(id: string): Room;
  /** Ends the caller's connection, for good. */
  abort(): void;
  /** Aborted when the caller cancels, or is gone. */
  readonly signal: AbortSignal;
}
