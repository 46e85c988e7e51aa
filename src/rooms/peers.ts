// What objects say to each other, as one interface: rooms to those that follow them, hub code to rooms elsewhere.

import type { Position } from "../model/position.ts";
import type { WebhookEnv } from "../webhooks/config.ts";
import { isRelayName } from "./address.ts";
import type { Params } from "../model/message.ts";
import type {
  Draft,
  Entry,
  HistoryQuery,
  HistoryView,
  PresenceQuery,
  PresenceView,
} from "./receiver.ts";

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
export interface Holder {
  deliver(delivery: Delivery): Promise<DeliveryReply>;
  tell(connection: string, target: string, params: Params): Promise<void>;
  ask(connection: string, target: string, params: Params): Promise<unknown>;
  /** Puts a connection of this object into a room, or takes it out: nothing happens where it is gone. */
  move(connection: string, topic: string, how: "join" | "leave"): Promise<void>;
}

/** The RPC surface of rooms; relays have a Holder's. */
export interface Peer extends Holder {
  publish(draft: Draft): Promise<Position>;
  /** The same for many, in their order; gives what failed of each, or null. */
  publishAll(drafts: readonly Draft[]): Promise<readonly (Fault | null)[]>;
  /** All after a position, presence included; without one, where the log stands. */
  missed(since: Position | undefined): Promise<HistoryView>;
  history(query: HistoryQuery): Promise<HistoryView>;
  presence(query: PresenceQuery): Promise<PresenceView>;
  track(userId: string, state: unknown): Promise<void>;
  follow(follower: string, members: readonly MemberCount[]): Promise<Position>;
  unfollow(follower: string): Promise<void>;
}

export interface Peers {
  (objectName: string): Peer;
}

/** What an object's worker gives it: where its peers are, and who is told of what happens. */
export interface ObjectEnv extends WebhookEnv {
  readonly ROOMS: DurableObjectNamespace;
  readonly RELAYS: DurableObjectNamespace;
}

/** The namespaces as peers: RPC types would hide these few methods behind a wall. */
export const peersOf =
  ({ ROOMS, RELAYS }: ObjectEnv): Peers =>
  (name) =>
    (isRelayName(name) ? RELAYS : ROOMS).getByName(name) as unknown as Peer;
