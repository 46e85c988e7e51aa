// The two sides of an object: the ports that it offers to hub code (Host), and the port through which it hands over
// what its connections receive (Receiver). Objects know nothing of hubs; server.ts binds the dispatcher to them.

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
  /** The room this object is; `all` where it is a relay. */
  readonly room: Topic;
  readonly settings: RoomSettings;
  readonly env: object;
  readonly clock: Clock;
  /** The room a connection came for; `all` where it came for the whole hub. */
  roomOf(connection: Connection): Topic;
}

/** Publications in rooms of this hub: here by a function call, elsewhere by RPC. */
export interface Publishing {
  /**
   * Publications of one caller to one room keep their order. In this object's own room the ticket says, after the next
   * flush, whether the message was saved; elsewhere the promise gives its position once it is durable there. A draft
   * that has an `id` may be repeated. Throws or rejects with `too_large`, `invalid_request`, `rate_limited`.
   *
   * `caller`: the connection whose call publishes. Where it is a member of a room elsewhere, its own copy is on its way
   * when the promise is done, unless the room is slow to deliver. Its joins and leaves there come after the
   * publication.
   */
  publish(topic: Topic, draft: Draft, caller?: Connection): Ticket | Promise<Position>;
  /** Done when the message is durable; gives its position. `caller` as for `publish`. */
  publishAndSave(topic: Topic, draft: Draft, caller?: Connection): Promise<Position>;
}

/** Rooms of this hub, as one connection or hub code reaches them. */
export interface RoomAccess {
  /** Done when the room knows of the member. May be repeated. Throws `too_many_groups`, `interrupted`. */
  join(connection: Connection, topic: Topic): Promise<void>;
  /** Throws `too_many_groups` where one request names more rooms than the connection is in, or may be in. */
  checkCount(connection: Connection, rooms: number): void;
  /** May be repeated. Throws `invalid_request` for the room that the connection came for. */
  leave(connection: Connection, topic: Topic): Promise<void>;
  /**
   * Joins, and replays everything after `since`, or nothing where the log no longer has all of it. The replay is on its
   * way when this is done, and live messages follow it: none twice, none missing. Throws what `join` throws.
   */
  joinWithReplay(
    connection: Connection,
    topic: Topic,
    since: Position | undefined,
  ): Promise<ReplayOutcome>;
  /**
   * `reader`: the connection that gets the answer. Where it is a member, its live messages up to the answer's position
   * are on their way when this is done, unless the room is slow to deliver (2 s); all later ones come after the answer.
   */
  history(topic: Topic, query: HistoryQuery, reader?: Connection): Promise<HistoryView>;
  presence(topic: Topic, query: PresenceQuery): Promise<PresenceView>;
  /** Sets the state that a user shows in a room. Throws `forbidden` where the user is absent, `too_large`. */
  track(userId: string, topic: Topic, state: unknown): Promise<void>;
}

/** States of rooms of this hub. */
export interface StateAccess {
  /**
   * Runs an action in a room with state. In this object's own room it is done once its ticket says so, after the next
   * flush; elsewhere it is durable, and where the caller is a member, its effects are on their way to it, unless the
   * room is slow to deliver. Throws what the action throws, `conflict`, `invalid_state`, `method_not_found`, …
   */
  run(topic: Topic, run: Run, caller?: Connection): Promise<RunOutcome>;
  /** The same, done when it is durable everywhere: for hub code. */
  runAndSave(topic: Topic, run: Run, caller?: Connection): Promise<RunResult>;
  /** The whole state of a room. Throws `method_not_found` where it has none. */
  state(topic: Topic): Promise<Snapshot>;
  /** The state that clients see. Throws `method_not_found` where they see none. */
  view(topic: Topic): Promise<Snapshot>;
  /** Loads a room's state from elsewhere again. */
  reload(topic: Topic): Promise<Position>;
}

/** A run, and the ticket of its flush where that is this object's. */
export interface RunOutcome extends RunResult {
  readonly ticket?: Ticket;
}

/** Position of a connection in a room that it has joined. */
export interface ReplayOutcome {
  readonly position: Position;
  /** Whether everything after the position it named was replayed. */
  readonly recovered: boolean;
  readonly replayed: number;
  /** Characters of these, and of a state. */
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
   * Invokes a client method without an answer; nothing happens where the connection is gone. `caller`: the connection
   * whose call does so. A connection of this object gets it behind what the caller has published to it, which is not
   * awaited here.
   */
  tell(connection: string, call: ClientMethodCall, caller?: Connection): Promise<void>;
  /**
   * Invokes a client method, in the same order, and gives its result. Throws `connection_not_found`, `timed_out`,
   * `interrupted`.
   */
  ask(connection: string, call: ClientMethodCall, caller?: Connection): Promise<unknown>;
  /** Puts a connection into a room, or takes it out; nothing happens where it is gone. */
  move(connection: string, topic: Topic, how: "join" | "leave"): Promise<void>;
}

/** One connection's life in this object. */
export interface ConnectionControl {
  /**
   * At once, behind what is queued for it. `detail` is for clients whose protocol carries a reason, where the hub shows
   * details.
   */
  close(connection: Connection, why: CloseCode, detail?: string): void;
  /**
   * Closes it behind everything that hub code has sent to it, its own copies of what its calls have published included:
   * at once, or when these are delivered, 2 s later at most.
   */
  end(connection: Connection, why: CloseCode, detail?: string): void;
  /** The same, once the loop has drained: answers under way are sent before. */
  dismiss(connection: Connection, why: CloseCode, detail?: string): void;
  /** Answers a heartbeat that woke the object. */
  pong(connection: Connection): void;
  /**
   * Whether a message of a connection that may be resumed counts: one that its client repeats does not, nor do its
   * messages about resuming, which are dealt with here.
   */
  takeResumed(connection: Connection, message: Incoming): boolean;
  /** Keeps items of hub code beside the connection, across sleep. Throws `too_large`. */
  keep(connection: Connection, change: Partial<Pick<Attached, "items">>): void;
  /** Remembers, across sleep, calls that a loss of memory must answer: streams, uploads, client results. */
  remember(connection: Connection, openCalls: readonly string[]): void;
}

/** The effects of a fresh token. Whether it admits the connection is decided by the caller. */
export interface TokenRenewal {
  /** Rooms that services have put a user into, as topics. Throws `token_revoked` or `banned`. */
  admit(user: User): Promise<readonly string[]>;
  /** Puts the new token's user in the place of the old one. Throws `too_large`, and `interrupted` where it is gone. */
  renew(connection: Connection, user: User): void;
  /** Rooms that the connection is in because its token or its client named them, not hub code; as topics. */
  requestedRooms(connection: Connection): string[];
  /**
   * Takes it out of such a room at once, with a message to the client. False where it is in it by hub code or not at
   * all.
   */
  expel(connection: Connection, room: string): boolean;
  /** Puts it into rooms that its token names. A room that cannot be reached now learns of the member by alarm. */
  belong(connection: Connection, topics: readonly Topic[]): Promise<void>;
}

/** Counters for the hub's index. */
export interface ActivityCounter {
  /** Plain numbers that only grow. */
  readonly counters: { in: number; readonly calls: { instant: number } };
  /** Whether a report is due already. */
  readonly isDue: boolean;
  /** The object is active: a report becomes due. */
  note(): void;
  /** A request or call was refused with this code. */
  refused(code: string): void;
  /** A call that is no stream was answered, so many milliseconds after it came. */
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
   * Sends behind what the caller has published to the recipient, and behind what waits for that: at once where nothing
   * of it is under way, else later, and then the promise says when.
   */
  inOrder(about: DirectSend, send: () => void): Promise<void> | undefined;
  /** Keeps the object awake while hub code runs. */
  waitUntil(work: Promise<unknown>): void;
}

/** How a connection ended. */
export interface Ending {
  /** Undefined for a regular close. */
  readonly error: Error | undefined;
  /** The code with which the server closed it; absent where the client's side ended. */
  readonly why?: CloseCode;
  /** Done when the connection's rooms no longer count it. Rejects where the report to one of them failed. */
  readonly departed: Promise<void>;
}

/** A call of a client's method, with its arguments encoded. */
export interface ClientMethodCall extends Params {
  readonly target: string;
}

/** The dispatcher, as an object calls it. */
export interface Receiver {
  /** Undefined where the hub is not served (any more). */
  settings(hub: string): RoomSettings | undefined;
  /** The hub's declaration of this room's state; undefined where it has none. Absent: no hub has any. */
  state?(address: RoomAddress, env: object): StateSpec | undefined;
  /** A connection is open: before its first frame is received. */
  opened(host: Host, connection: Connection): Promise<void>;
  /** The object lost its memory while the socket lived. Before anything else of this connection. */
  awoke(host: Host, connection: Connection): void;
  /** A frame of an open connection, in the order of arrival. */
  received(host: Host, connection: Connection, frame: string | ArrayBuffer): void;
  /** Done when no call of the connection is under way any more. */
  settled(host: Host, connection: Connection): Promise<void>;
  /** Once, after the connection was open. */
  closed(host: Host, connection: Connection, ending: Ending): Promise<void>;
  /**
   * A fresh token of the same user. Throws `forbidden`, and then the connection may have ended. It counts as no call:
   * it comes with something else, and but once.
   */
  refreshed(host: Host, connection: Connection, user: User): Promise<RefreshOutcome>;
  /** The same for a request that brings nothing but the token: it counts as a call. Throws `rate_limited` as well. */
  refreshRequested(host: Host, connection: Connection, user: User): Promise<RefreshOutcome>;
  /** After joins and leaves were published in this room. */
  presenceChanged(host: Host, change: UserChanges): Promise<void>;
  /** Hub code, here or in another object, invokes a method of a client of this object. */
  ask(host: Host, connection: Connection, call: ClientMethodCall): Promise<unknown>;
}
