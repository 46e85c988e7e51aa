// What objects say to each other, as one interface: rooms to those that follow them, hub code to rooms elsewhere.

import type { Position } from "../model/position.ts";
import { objectName, type Address } from "./address.ts";
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
}

export type DeliveryReply =
  | { readonly kind: "taken" }
  /** Nobody here wants this room: unfollow. */
  | { readonly kind: "gone" }
  /** A batch was missed: send again from here. */
  | { readonly kind: "behind"; readonly offset: number };

/** The RPC surface of an object with rooms or connections. */
export interface Peer {
  publish(draft: Draft): Promise<Position>;
  history(query: HistoryQuery): Promise<HistoryView>;
  presence(query: PresenceQuery): Promise<PresenceView>;
  track(userId: string, state: unknown): Promise<void>;
  follow(follower: string, members: readonly MemberCount[]): Promise<void>;
  unfollow(follower: string): Promise<void>;
  deliver(delivery: Delivery): Promise<DeliveryReply>;
  tell(connection: string, target: string, params: string): Promise<void>;
  ask(connection: string, target: string, params: string): Promise<unknown>;
}

export interface Peers {
  (objectName: string): Peer;
}

/** The namespace as peers: RPC types would hide these few methods behind a wall. */
export const peersOf =
  (rooms: DurableObjectNamespace): Peers =>
  (name) =>
    rooms.getByName(name) as unknown as Peer;

export const peerAt = (peers: Peers, address: Address): Peer => peers(objectName(address));
