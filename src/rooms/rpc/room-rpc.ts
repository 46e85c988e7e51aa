// What objects say to each other, as one interface: rooms to those that follow them, hub code to rooms elsewhere.

import type { Position } from "../../model/position.ts";
import type { WebhookEnv } from "../../webhooks/webhook-config.ts";
import type { AnalyticsEnv } from "../observe/analytics.ts";
import type { HubMetrics, RoomsQuery, RoomsView } from "./hub-metrics.ts";
import type { Params } from "../../model/message.ts";
import type { TokenFacts } from "../../model/token-rules.ts";
import type { Account as UserAccount } from "../account/account.ts";
import type { AccountObject } from "../account/account-object.ts";
import { accountName, isRelayName, type AccountAddress } from "./object-names.ts";
import type { Command, CommandOutcome, Selection } from "../object/run-commands.ts";
import type {
  ConnectionEntry,
  ConnectionsPage,
  ConnectionsQuery,
  MembersQuery,
} from "../object/members.ts";
import type {
  Draft,
  Entry,
  HistoryQuery,
  HistoryView,
  PresenceQuery,
  PresenceView,
} from "../object/host.ts";
import type { Report } from "../observe/activity-reports.ts";

/** A user and how many connections the follower has of them: absolute, so that repeating it changes nothing. */
export type MemberCount = readonly [userId: string, connections: number];

/** A batch from a room to an object that follows it. */
export interface Delivery {
  /** The topic of the room, as text. */
  readonly room: string;
  readonly epoch: string;
  /** The number before the first entry. */
  readonly after: number;
  readonly entries: readonly Entry[];
  /** The log no longer has what is missing: take it from here, and say so. */
  readonly reset: boolean;
  /** Where it is reset: from where on the room no longer has all. */
  readonly from?: number;
}

export type DeliveryReply =
  | { readonly kind: "taken" }
  /** Nobody here wants this room: unfollow. */
  | { readonly kind: "gone" }
  /** A batch was missed: send again from here. */
  | { readonly kind: "behind"; readonly offset: number };

/** An error as it travels. */
export interface Fault {
  readonly code: string;
  readonly message: string;
}

/** What every object answers that holds connections. */
export interface HolderRpc {
  deliver(delivery: Delivery): Promise<DeliveryReply>;
  tell(connection: string, target: string, params: Params): Promise<void>;
  ask(connection: string, target: string, params: Params): Promise<unknown>;
  /** Puts a connection of this object into a room, or takes it out: nothing happens where it is gone. */
  move(connection: string, topic: string, how: "join" | "leave"): Promise<void>;
  /** What a service does to connections of this object. */
  command(selection: Selection, commands: readonly Command[]): Promise<CommandOutcome>;
  /** Connections of this object that are in a room, by id. */
  membersIn(query: MembersQuery): Promise<readonly ConnectionEntry[]>;
}

/** An object asks the account of a user before it lets a connection in. */
export interface AdmissionRequest {
  /** The asking object's name. */
  readonly object: string;
  readonly token: TokenFacts;
  /** How many connections the user may begin; absent where this is none. */
  readonly rate?: { readonly perSecond: number; readonly burst: number };
}

/** Refusals are no exceptions: the platform logs those, and whoever is refused may ask often. */
export type AdmissionReply = { readonly groups: readonly string[] } | { readonly fault: Fault };

/** What rooms and edge ask of a user's account. */
export type AccountRpc = Pick<
  UserAccount,
  | "admit"
  | "check"
  | "command"
  | "revoke"
  | "ban"
  | "unban"
  | "addToGroup"
  | "removeFromGroup"
  | "removeFromAllGroups"
  | "isInGroup"
>;

/** How a room is now. */
export interface RoomInfo {
  readonly position: Position;
  readonly connections: number;
  readonly users: number;
  /** Messages a second, over the last minute. */
  readonly rate: number;
}

/** What a hub's `all` room answers, where its index lives. Throws `wrong_kind` elsewhere. */
export interface HubIndexRpc {
  /** An object says how it is; `name` is a topic, or `relay:` and a relay's name. */
  report(name: string, report: Report): Promise<void>;
  rooms(query: RoomsQuery): Promise<RoomsView>;
  relays(query: RoomsQuery): Promise<RoomsView>;
  metrics(): Promise<HubMetrics>;
}

/** The RPC surface of rooms; relays have a Holder's. */
export interface RoomRpc extends HolderRpc, HubIndexRpc {
  info(): Promise<RoomInfo>;
  publish(draft: Draft): Promise<Position>;
  /** The same for many, in their order; gives what failed of each, or null. */
  publishAll(drafts: readonly Draft[]): Promise<readonly (Position | Fault)[]>;
  /** All after a position, presence included; without one, where the log stands. */
  missed(since: Position | undefined): Promise<HistoryView>;
  history(query: HistoryQuery): Promise<HistoryView>;
  presence(query: PresenceQuery): Promise<PresenceView>;
  track(userId: string, state: unknown): Promise<void>;
  follow(follower: string, members: readonly MemberCount[]): Promise<Position>;
  unfollow(follower: string): Promise<void>;
  everywhere(selection: Selection, commands: readonly Command[]): Promise<number>;
  connectionsIn(query: ConnectionsQuery): Promise<ConnectionsPage>;
  /** Forgets what was said; the numbers go on. */
  clear(): Promise<void>;
  /** Begins the log anew, and tells everybody; gives where it stands then. */
  erase(): Promise<Position>;
}

export interface RoomStubs {
  (objectName: string): RoomRpc;
}

/** What an object's worker gives it: where its peers are, and who is told of what happens. */
export interface ObjectEnv extends AnalyticsEnv, WebhookEnv {
  readonly ROOMS: DurableObjectNamespace;
  readonly RELAYS: DurableObjectNamespace;
  readonly ACCOUNTS: DurableObjectNamespace;
  /** `1`: a line in the log for each connection that begins, and one for each that ends. Lines cost. */
  readonly LOG_CONNECTIONS?: string;
}

/** The namespaces as peers: RPC types would hide these few methods behind a wall. */
export const roomStubs =
  ({ ROOMS, RELAYS }: ObjectEnv): RoomStubs =>
  (name) =>
    (isRelayName(name) ? RELAYS : ROOMS).getByName(name) as unknown as RoomRpc;

/** A user's account, in the object that it shares with others. A fresh stub for each call. */
export function accountStub(
  { ACCOUNTS }: Pick<ObjectEnv, "ACCOUNTS">,
  address: AccountAddress,
): AccountRpc {
  const { user } = address;
  const object = () => ACCOUNTS.getByName(accountName(address)) as unknown as AccountObject;
  return {
    admit: (admitting) => object().admit(user, admitting),
    check: (token) => object().check(user, token),
    command: (...about) => object().command(user, ...about),
    revoke: (revocation) => object().revoke(user, revocation),
    ban: (...about) => object().ban(user, ...about),
    unban: () => object().unban(user),
    addToGroup: (...about) => object().addToGroup(user, ...about),
    removeFromGroup: (...about) => object().removeFromGroup(user, ...about),
    removeFromAllGroups: (hub) => object().removeFromAllGroups(user, hub),
    isInGroup: (...about) => object().isInGroup(user, ...about),
  };
}
