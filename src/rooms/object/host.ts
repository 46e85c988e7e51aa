// The two sides of an object: the ports that it offers to hub code (Host), and the port through which it passes on the
// frames of its connections (Receiver). Objects do not depend on hubs; server.ts binds the dispatcher to them.

import type { CloseCode } from "../../model/errors.ts";
import type { Incoming, Outgoing, Params } from "../../model/message.ts";
import type { RoomSettings } from "../../model/options.ts";
import type { Position, Topic } from "../../model/topic.ts";
import type { User } from "../../model/user.ts";
import type { Attached } from "../connection/attachment.ts";
import type { Connection } from "../connection/connection.ts";
import type { Ticket } from "../delivery/fan-out.ts";
import type { DirectSend } from "../links/undelivered-publications.ts";
import type { Clock } from "../platform/loop-timing.ts";
import type { Draft, HistoryQuery, HistoryView } from "../rpc/log-entry.ts";
import type { Domain, RoomAddress } from "../rpc/object-address.ts";
import type { PresenceQuery, PresenceView, UserChanges } from "../rpc/presence-view.ts";
import type { RefreshOutcome } from "../rpc/relay-rpc.ts";
import type { RunResult, Run, Snapshot, StateSpec } from "../rpc/state-rpc.ts";

/** The object's place, its settings and its bindings. The same for as long as it is awake. */
interface Identity {
  readonly domain: Domain;
  /** The room of this object; `all` in a relay. */
  readonly room: Topic;
  readonly settings: RoomSettings;
  readonly env: object;
  readonly clock: Clock;
  /** The room that a connection is attached to; `all` for a connection to the whole hub. */
  roomOf(connection: Connection): Topic;
}

/** Publications in rooms of this hub: here by a function call, elsewhere by RPC. */
export interface Publishing {
  /**
   * Publications of one caller to one room keep their order. In this object's own room the ticket shows, after the next
   * flush, whether the message was saved; elsewhere the promise resolves with the position once it is durable there. A
   * draft with an `id` may be repeated. `checkDraft` comes before. Throws or rejects with `rate_limited`.
   *
   * `caller`: the connection whose call publishes. If it is a member of the room elsewhere, its own copy was sent when
   * the promise resolves, unless the room is slow to deliver. Its later joins and leaves there take effect after the
   * publication.
   */
  publish(topic: Topic, draft: Draft, caller?: Connection): Ticket | Promise<Position>;
  /** Checks the draft, and resolves with the position when the message is durable. `caller` as for `publish`. */
  publishAndSave(topic: Topic, draft: Draft, caller?: Connection): Promise<Position>;
}

/** Rooms of this hub, as one connection or hub code reaches them. */
export interface RoomAccess {
  /** Resolves when the room has the member. May be repeated. Throws `too_many_groups`, `interrupted`. */
  join(connection: Connection, topic: Topic): Promise<void>;
  /** Throws `too_many_groups` if one request names more rooms than the connection is in, or may be in. */
  checkCount(connection: Connection, rooms: number): void;
  /** May be repeated. Throws `invalid_request` for the room that the connection is attached to. */
  leave(connection: Connection, topic: Topic): Promise<void>;
  /**
   * Joins, and replays all entries after `since`, or none if the log no longer has all. When this resolves the replay
   * is queued, and live messages follow it: none twice, none missing. Throws like `join`.
   */
  joinWithReplay(
    connection: Connection,
    topic: Topic,
    since: Position | undefined,
  ): Promise<ReplayOutcome>;
  /**
   * `reader`: the connection that gets the answer. If it is a member, its live messages up to the answer's position are
   * queued when this resolves, unless the room is slow to deliver (2 s); all later ones come after the answer.
   */
  history(topic: Topic, query: HistoryQuery, reader?: Connection): Promise<HistoryView>;
  presence(topic: Topic, query: PresenceQuery): Promise<PresenceView>;
  /** Sets the state that a user shows in a room. Throws `forbidden` if the user is absent, `too_large`. */
  track(userId: string, topic: Topic, state: unknown): Promise<void>;
}

/** States of rooms of this hub. */
export interface StateAccess {
  /**
   * Runs an action in a room with state. In this object's own room its ticket shows, after the next flush, whether it
   * was saved; elsewhere it is durable when this resolves, and its effects are queued for a caller that is a member,
   * unless the room is slow to deliver. Throws the action's error, `conflict`, `invalid_state`, `method_not_found`, …
   */
  run(topic: Topic, run: Run, caller?: Connection): Promise<RunOutcome>;
  /** The same for hub code: resolves when it is durable in any room. */
  runAndSave(topic: Topic, run: Run, caller?: Connection): Promise<RunResult>;
  /** The whole state of a room. Throws `method_not_found` if it has none. */
  state(topic: Topic): Promise<Snapshot>;
  /** The state that clients see. Throws `method_not_found` if they see none. */
  view(topic: Topic): Promise<Snapshot>;
  /** Loads a room's state from elsewhere again. */
  reload(topic: Topic): Promise<Position>;
}

/** A run, with the ticket of its flush if it ran in this object. */
export interface RunOutcome extends RunResult {
  readonly ticket?: Ticket;
}

/** Position of a connection in a room that it has joined. */
export interface ReplayOutcome {
  readonly position: Position;
  /** Whether all entries after the position that it named were replayed. */
  readonly recovered: boolean;
  readonly replayed: number;
  /** Characters of the replayed entries, and of a state. */
  readonly chars: number;
}

/** Messages to sockets of this object, in the order in which they are sent, together at the next flush. */
interface Replies {
  /** A function is called at the flush, after everything published before it was saved. */
  send(connection: Connection, message: Outgoing | (() => Outgoing)): void;
}

/** Connections of any object of the hub, by their ids. */
export interface RemoteClients {
  /**
   * Invokes a client method without an answer; does nothing if the connection is gone. `caller`: the connection whose
   * call does so. A connection of this object gets the invocation after the caller's earlier publications to it, which
   * is not awaited here.
   */
  tell(connection: string, call: ClientMethodCall, caller?: Connection): Promise<void>;
  /**
   * Invokes a client method, in the same order, and resolves with its result. Throws `connection_not_found`,
   * `timed_out`, `interrupted`.
   */
  ask(connection: string, call: ClientMethodCall, caller?: Connection): Promise<unknown>;
  /** Puts a connection into a room, or takes it out; does nothing if it is gone. */
  move(connection: string, topic: Topic, how: "join" | "leave"): Promise<void>;
}

/** One connection's life in this object. */
export interface ConnectionControl {
  /**
   * Closes it at once, after the messages that are queued for it. `detail` reaches clients whose protocol has a reason,
   * if the hub shows details.
   */
  close(connection: Connection, why: CloseCode, detail?: string): void;
  /**
   * Closes it after all messages of hub code to it, its own copies of its calls' publications included: at once, or
   * when these are delivered, 2 s later at most.
   */
  end(connection: Connection, why: CloseCode, detail?: string): void;
  /** The same, once the loop has drained: answers under way are sent before. */
  dismiss(connection: Connection, why: CloseCode, detail?: string): void;
  /** Answers a heartbeat that woke the object. */
  pong(connection: Connection): void;
  /**
   * Whether a message of a resumable connection is to be handled. False for a repeated one, and for messages about
   * resuming, which this handles itself.
   */
  takeResumed(connection: Connection, message: Incoming): boolean;
  /** Stores items of hub code with the connection, across sleep. Throws `too_large`. */
  keep(connection: Connection, change: Partial<Pick<Attached, "items">>): void;
  /** Stores, across sleep, the calls to answer after a loss of memory: streams, uploads, client results. */
  remember(connection: Connection, openCalls: readonly string[]): void;
}

/** The effects of a fresh token. The caller decides whether it admits the connection. */
export interface TokenRenewal {
  /** Rooms that services have put a user into, as topics. Throws `token_revoked` or `banned`. */
  admit(user: User): Promise<readonly string[]>;
  /** Replaces the connection's user by the new token's. Throws `too_large`; `interrupted` if the connection is gone. */
  renew(connection: Connection, user: User): void;
  /** Rooms, as topics, that the connection is in because its token or its client named them, and not by hub code. */
  requestedRooms(connection: Connection): string[];
  /**
   * Removes the connection from such a room at once, with a message to the client. False if it is in the room by hub
   * code, or not at all.
   */
  expel(connection: Connection, room: string): boolean;
  /** Puts it into rooms that its token names. A room that cannot be reached gets the member later, by alarm. */
  belong(connection: Connection, topics: readonly Topic[]): Promise<void>;
}

/** Counters for the hub's index. */
export interface ActivityCounter {
  /** Plain numbers that only grow. */
  readonly counters: { in: number; readonly calls: { instant: number } };
  /** Whether a report is due already. */
  readonly isDue: boolean;
  /** Notes that the object is active: a report becomes due. */
  note(): void;
  /** Counts a request or call that was refused with this code. */
  refused(code: string): void;
  /** Counts the answer to a call that is no stream, and the milliseconds that it took. */
  answered(ms: number): void;
}

/** All ports of one object. */
export interface Host extends Identity {
  readonly publishing: Publishing;
  readonly rooms: RoomAccess;
  readonly states: StateAccess;
  readonly replies: Replies;
  readonly clients: RemoteClients;
  readonly connections: ConnectionControl;
  readonly renewal: TokenRenewal;
  readonly activity: ActivityCounter;
  /**
   * Calls `send` after the recipient has the caller's earlier publications and the messages that wait for them: at once
   * if none is under way, else later, with a promise for that time.
   */
  inOrder(about: DirectSend, send: () => void): Promise<void> | undefined;
  /** Keeps the object awake while hub code runs. */
  waitUntil(work: Promise<unknown>): void;
}

/** How a connection ended. */
export interface Ending {
  /** Undefined for a regular close. */
  readonly error: Error | undefined;
  /** The code with which the server closed it; absent if the client's side ended. */
  readonly why?: CloseCode;
  /** Resolves when the connection's rooms no longer count it. Rejects if the report to one of them failed. */
  readonly departed: Promise<void>;
}

/** A call of a client's method, with its arguments encoded. */
export interface ClientMethodCall extends Params {
  readonly target: string;
}

/** The dispatcher, as an object calls it. */
export interface Receiver {
  /** Undefined if the hub is not served (any more). */
  settings(hub: string): RoomSettings | undefined;
  /** The hub's declaration of this room's state; undefined if it has none. Absent: no hub has any. */
  state?(address: RoomAddress, env: object): StateSpec | undefined;
  /** Called when a connection is open, before its first frame is received. */
  opened(host: Host, connection: Connection): Promise<void>;
  /** Called after the object lost its memory while the socket lived, before any frame of the connection. */
  awoke(host: Host, connection: Connection): void;
  /** A frame of an open connection, in the order of arrival. */
  received(host: Host, connection: Connection, frame: string | ArrayBuffer): void;
  /** Resolves when no call of the connection is under way any more. */
  settled(host: Host, connection: Connection): Promise<void>;
  /** Called once, after the end of a connection that was open. */
  closed(host: Host, connection: Connection, ending: Ending): Promise<void>;
  /**
   * Applies a fresh token of the same user. Throws `forbidden`, and then the connection may have ended. It does not
   * count as a call, because it comes once, with another request that does.
   */
  refreshed(host: Host, connection: Connection, user: User): Promise<RefreshOutcome>;
  /** The same for a request that only has the token: it counts as a call. Throws `rate_limited` as well. */
  refreshRequested(host: Host, connection: Connection, user: User): Promise<RefreshOutcome>;
  /** Called after joins and leaves were published in this room. */
  presenceChanged(host: Host, change: UserChanges): Promise<void>;
  /** Hub code, here or in another object, invokes a method of a client of this object. */
  ask(host: Host, connection: Connection, call: ClientMethodCall): Promise<unknown>;
}
