// The two sides of an object: what rooms do for hub code (Host), and what they want from it (Receiver). Rooms know
// nothing of hubs; worker.ts binds the dispatcher to them.

import type { CloseCode } from "../../model/errors.ts";
import type { Incoming, Outgoing, Params } from "../../model/message.ts";
import type { Limits, RoomSettings } from "../../model/options.ts";
import type { Position } from "../../model/position.ts";
import type { Topic } from "../../model/topic.ts";
import type { User } from "../../model/user.ts";
import type { Domain } from "../rpc/object-names.ts";
import type { Attached } from "../connection/attachment.ts";
import type { Connection } from "../connection/connection.ts";
import type { Draft, HistoryView, HistoryQuery } from "../rpc/log-entry.ts";
import type { PresenceView, PresenceQuery } from "../rpc/presence-view.ts";
import type { RefreshOutcome } from "../rpc/relay-rpc.ts";
import type { Ticket } from "../delivery/fan-out.ts";

/** Where a connection stands in a room it has just joined. */
export interface CaughtUp {
  readonly position: Position;
  /** Whether all after the position it came with was replayed. */
  readonly recovered: boolean;
  readonly replayed: number;
}

export interface Renewal {
  /** Puts a fresh token's user in the place of the old one. Throws `too_large`, and `interrupted` where it is gone. */
  renew(connection: Connection, user: User): void;
  /** Rooms that it is in because its token or its client said so, and not hub code; as topics. */
  wishesOf(connection: Connection): string[];
  /** Takes it out of such a room, at once, and tells it. False where it is not in it, or hub code is for it. */
  expel(connection: Connection, room: string): boolean;
  /** Puts it into rooms that its token names: one that cannot be told now is told by alarm. */
  belong(connection: Connection, topics: readonly Topic[]): Promise<void>;
}

export interface Host {
  readonly domain: Domain;
  readonly settings: RoomSettings;
  /** The server's, within what the connection's token says. */
  limitsOf(connection: Connection): Limits;
  readonly env: object;
  /** Rooms that services have put a user into, as topics. Throws `token_revoked` or `banned`. */
  admit(user: User): Promise<readonly string[]>;
  /** The room this object is; `all` where it is a relay. */
  readonly room: Topic;
  /** The room a connection came for; `all` where it came for the whole hub. */
  roomOf(connection: Connection): Topic;
  /** Says it in a room of this hub: here by a function call, elsewhere by RPC (done when it is durable there). */
  publish(topic: Topic, draft: Draft): Ticket | Promise<void>;
  /** The same, for who wants to know where it stands then. */
  publishSaved(topic: Topic, draft: Draft): Promise<Position>;
  /** Queues a message for one of this object's sockets. A function is asked at the flush, after all was saved. */
  send(connection: Connection, message: Outgoing | (() => Outgoing)): void;
  /** Bytes that wait for the connection's reader. */
  queuedBytes(connection: Connection): number;
  /** To a connection of any object of the hub, without an answer; nothing happens where it is gone. */
  tell(connection: string, target: string, params: Params): Promise<void>;
  /** The same, and waits for what the client answers. Throws `connection_not_found`, `timed_out`, `interrupted`. */
  ask(connection: string, target: string, params: Params): Promise<unknown>;
  join(connection: Connection, topic: Topic): Promise<void>;
  leave(connection: Connection, topic: Topic): Promise<void>;
  /** Joins, with all that was said there since: it is on its way when this is done. Throws what `join` throws. */
  catchUp(connection: Connection, topic: Topic, since: Position | undefined): Promise<CaughtUp>;
  /** The same for a connection of any object of the hub; nothing happens where it is gone. */
  move(connection: string, topic: Topic, how: "join" | "leave"): Promise<void>;
  history(topic: Topic, query: HistoryQuery): Promise<HistoryView>;
  presence(topic: Topic, query: PresenceQuery): Promise<PresenceView>;
  /** Throws `forbidden` where the user is not in that room. */
  track(userId: string, topic: Topic, state: unknown): Promise<void>;
  /** `detail` is for clients whose protocol has a word for why, where the hub shows them such details. */
  close(connection: Connection, why: CloseCode, detail?: string): void;
  /** Whether a message counts: not one that a resumed connection says again, nor its words about that. */
  takes(connection: Connection, message: Incoming): boolean;
  /** A call was answered with an error: its code is counted. */
  refused(code: string): void;
  /** Answers a heartbeat that did wake the object. */
  pong(connection: Connection): void;
  /** Keeps something beside the connection, across sleep. Throws `too_large`. */
  keep(connection: Connection, change: Partial<Pick<Attached, "items">>): void;
  /** What a fresh token changes. */
  readonly renewal: Renewal;
  /** Closes it when what it was told last is on its way. */
  dismiss(connection: Connection, why: CloseCode): void;
  /** Remembers, across sleep, calls whose loss must be told: streams, uploads, questions to clients. */
  remember(connection: Connection, openCalls: readonly string[]): void;
  /** Keeps the object awake while hub code runs. */
  waitUntil(work: Promise<unknown>): void;
}

export interface Receiver {
  /** Undefined where the hub is not served (any more). */
  settings(hub: string): RoomSettings | undefined;
  opened(host: Host, connection: Connection): Promise<void>;
  /** The object lost its memory while the socket lived. */
  awoke(host: Host, connection: Connection): void;
  received(host: Host, connection: Connection, frame: string | ArrayBuffer): void;
  /** Done when nothing that the connection called is under way any more. */
  settled(host: Host, connection: Connection): Promise<void>;
  closed(host: Host, connection: Connection, error?: Error): Promise<void>;
  /** A fresh token of the same user. Throws `forbidden`, and then the connection may have ended. */
  refreshed(host: Host, connection: Connection, user: User): Promise<RefreshOutcome>;
  /** After joins and leaves were said in this room. */
  presenceChanged(host: Host, joined: readonly string[], left: readonly string[]): Promise<void>;
  /** A client of this object is asked by code that may run elsewhere. */
  ask(host: Host, connection: Connection, target: string, params: Params): Promise<unknown>;
}
