// The calls between rooms and relays, as interfaces: the follow protocol, pushes to connections, publications and
// reads of rooms elsewhere.

import type { Params } from "../../model/message.ts";
import type { Position } from "../../model/topic.ts";
import type { Report } from "./activity-report.ts";
import type { Command, CommandOutcome, Selection } from "./command.ts";
import type { ClientResult, Fault, Refused } from "./fault.ts";
import type { HubMetrics, RoomsQuery, RoomsView } from "./hub-metrics.ts";
import type { Draft, Entry, HistoryQuery, HistoryView, MissedView } from "./log-entry.ts";
import type {
  ConnectionEntry,
  ConnectionsPage,
  ConnectionsQuery,
  MembersQuery,
} from "./members-page.ts";
import type { PresenceQuery, PresenceView } from "./presence-view.ts";
import type { RunResult, Run, Scheduled, Snapshot } from "./state-rpc.ts";

/**
 * A user and the number of connections at the follower: absolute, so that a repetition changes nothing. `left`: the
 * last one left on purpose, so that the user's leave has no grace. `trace`: of the last connection that began or ended.
 */
export type MemberCount = readonly [
  userId: string,
  connections: number,
  how?: "left" | undefined,
  trace?: string,
];

/** Trace contexts of connections that have left, by user. */
export type Traces = ReadonlyMap<string, string>;

/**
 * A batch from a room to an object that follows it (room/followers.ts). The room has one batch under way for each
 * follower and repeats it until it is answered. Offsets of batches are consecutive, so that repeated and reordered ones
 * are recognised.
 */
export interface Delivery {
  /** The topic of the room, as text. */
  readonly room: string;
  readonly epoch: string;
  /** The offset before the first entry. */
  readonly after: number;
  readonly entries: readonly Entry[];
  /** The log no longer has all missed entries: the follower continues after `after`, and sends its members a reset. */
  readonly reset: boolean;
  /** With `reset`: the room's state as clients see it, if it has one. */
  readonly state?: Snapshot;
  /** With `reset`: the offset after which the room no longer has all entries. */
  readonly from?: number;
}

/** An object that follows the room, and the position up to which it has the room's log. */
export interface FollowerPosition {
  /** The follower's name. */
  readonly follower: string;
  readonly position: Position;
}

/** Marks a full report, which replaces all counts of this follower in the room. */
export interface FullFollow {
  /** The position up to which its members have the log; undefined if there were none before, or it is not known. */
  readonly position: Position | undefined;
}

/** Results of publications: for each its position, or its error. */
export type PublishOutcomes = readonly (Position | Fault)[];

export type DeliveryReply =
  | { readonly kind: "taken" }
  /** No connection of the follower is in this room: the room removes the follower. */
  | { readonly kind: "gone" }
  /** A batch is missing: the room must send again from this offset. */
  | { readonly kind: "behind"; readonly offset: number };

/** The methods of every object that holds connections. */
export interface HolderRpc {
  deliver(delivery: Delivery): Promise<DeliveryReply>;
  /** The room has lost its followers: this object follows it again, if it has members there. */
  refollow(room: string): Promise<void>;
  /** Sends an invocation without an answer to a connection of this object. Throws `connection_not_found`. */
  tell(connection: string, target: string, params: Params): Promise<void>;
  /** Invokes a method of the client. Returns its result, or `connection_not_found`, `timed_out`, `client_error`, … */
  ask(connection: string, target: string, params: Params): Promise<ClientResult>;
  /** Puts a connection of this object into a room, or takes it out; does nothing if it is gone. */
  move(connection: string, topic: string, how: "join" | "leave"): Promise<void>;
  /** Runs a service's commands on connections of this object. */
  command(selection: Selection, commands: readonly Command[]): Promise<CommandOutcome>;
  /** Connections of this object that are in a room, by id. */
  membersIn(query: MembersQuery): Promise<readonly ConnectionEntry[]>;
}

/** The present state of a room. */
export interface RoomInfo {
  readonly position: Position;
  readonly connections: number;
  readonly users: number;
  /** Messages a second, over the last minute. */
  readonly rate: number;
}

/** The methods of a hub's index, in the hub's `all` room. Other rooms throw `wrong_kind`. */
interface HubIndexRpc {
  /** Takes the report of an object; `name` is a topic, or `relay:` and a relay's name. */
  report(name: string, report: Report): Promise<void>;
  rooms(query: RoomsQuery): Promise<RoomsView>;
  relays(query: RoomsQuery): Promise<RoomsView>;
  metrics(): Promise<HubMetrics>;
}

/** The RPC surface of rooms; relays answer the `HolderRpc` part. */
export interface RoomRpc extends HolderRpc, HubIndexRpc {
  info(): Promise<RoomInfo>;
  /** Resolves with the position when the publication is durable. */
  publish(draft: Draft): Promise<Position>;
  /** Publishes in order; resolves with the position or the error of each. */
  publishAll(drafts: readonly Draft[]): Promise<PublishOutcomes>;
  /**
   * The same for a follower. The answer may have the entries that it lacks, instead of a `deliver`: the follower must
   * handle it like one, before later ones.
   */
  publishAs(
    follower: FollowerPosition,
    drafts: readonly Draft[],
  ): Promise<readonly [PublishOutcomes, Delivery?]>;
  /**
   * All entries after a position, presence included; without one, only the newest position. `showsPresent`: with the
   * users at the position of the answer. `wantsState`: with a snapshot instead of changes, if the room has a state,
   * also if the changes are few.
   */
  missed(
    since: Position | undefined,
    showsPresent?: boolean,
    wantsState?: boolean,
  ): Promise<MissedView | Refused>;
  /** Runs an action; resolves when it is durable. Rooms without state refuse with `method_not_found`. */
  runAction(run: Run): Promise<RunResult | Refused>;
  /** The whole state. */
  wholeState(): Promise<Snapshot | Refused>;
  /** The state that clients see. */
  viewedState(): Promise<Snapshot | Refused>;
  /** Loads the state from elsewhere again; returns the position after the change. */
  reloadState(): Promise<Position | Refused>;
  /** Scheduled actions in the order of their times. */
  schedule(): Promise<readonly Scheduled[] | Refused>;
  /** False if nothing is scheduled with this id. */
  cancelScheduled(id: string): Promise<boolean | Refused>;
  /** An `ExportedState` as JSON in UTF-8: of now, or at an earlier position. */
  exportState(at?: Position): Promise<Uint8Array | Refused>;
  /** Imports a result of `exportState` into an empty room. Returns the position after it. */
  importState(exported: Uint8Array): Promise<Position | Refused>;
  history(query: HistoryQuery): Promise<HistoryView>;
  presence(query: PresenceQuery): Promise<PresenceView>;
  /** Sets the state that a user shows in this room; null clears it. Refused if the user is absent. */
  track(userId: string, state: unknown): Promise<void | Refused>;
  /**
   * Follows the room, or reports changed numbers of connections: from then on the room delivers to the follower. May be
   * repeated. Returns the room's position, after which deliveries begin for a new follower.
   */
  follow(follower: string, members: readonly MemberCount[], anew?: FullFollow): Promise<Position>;
  /**
   * Stops deliveries and removes the follower's members; those in `left` left on purpose. `traces` is absent if there
   * are none. May be repeated.
   */
  unfollow(follower: string, left?: readonly string[], traces?: Traces): Promise<void>;
  /** Runs commands on the room's connections in every object; returns how many were selected. */
  everywhere(selection: Selection, commands: readonly Command[]): Promise<number>;
  connectionsIn(query: ConnectionsQuery): Promise<ConnectionsPage>;
  /** Deletes the history; offsets continue. */
  clear(): Promise<void>;
  /** Begins a new log under another epoch, and sends every member a reset; returns the new position. */
  erase(): Promise<Position>;
}
