// The calls of rooms, relays and the edge to a user's account.

import type { TokenFacts } from "../../model/user.ts";
import type { Command, Selection } from "./command.ts";
import type { Fault } from "./fault.ts";

/** The call of an object to a user's account before it admits a connection. */
export interface AdmissionRequest {
  /** The object's name. */
  readonly object: string;
  readonly token: TokenFacts;
  /** The user's rate of connects; absent if no connection begins. */
  readonly rate?: { readonly perSecond: number; readonly burst: number };
}

/** The rooms that an admitted connection belongs to, in the hub of its object. */
export interface AdmittedRooms {
  /** Groups that services have put the user into. */
  readonly groups: readonly string[];
  /** The user's own room is in use: an object with connections of the user follows it (room/user-room.ts). */
  readonly usesRoom?: true;
}

/** The rooms of the connection, or why it is refused. */
export type AdmissionReply = AdmittedRooms | { readonly fault: Fault };

/** The use of a user's own room in a hub. */
export interface RoomUse {
  /** The id of this use. */
  readonly id: string;
  /** Whether to begin the use only if the user has a connection in the hub. */
  readonly ifConnected: boolean;
}

/** Tokens that a service revokes; with neither `jti` nor `before`, all that were issued until now. */
export interface Revocation {
  readonly jti?: string;
  /** Seconds since 1970. */
  readonly before?: number;
  /** When the token expires anyway, milliseconds since 1970: the revocation is deleted then. */
  readonly until?: number;
}

/** One user's account. Refusals are values: the platform logs exceptions, and a refused client may try often. */
export interface AccountRpc {
  /** `banned`, `token_revoked`, `rate_limited` or `too_many_connections`, or the user's groups. */
  admit(request: AdmissionRequest): Promise<AdmissionReply>;
  /** Undefined for a valid token; else `banned` or `token_revoked`. */
  check(token: TokenFacts): Promise<Fault | undefined>;
  /** Runs commands on the user's connections of one hub; returns how many were selected. */
  command(hub: string, selection: Selection, commands: readonly Command[]): Promise<number>;
  revoke(revocation: Revocation): Promise<void>;
  ban(seconds: number, reason?: string): Promise<void>;
  unban(): Promise<void>;
  /** Default time to live: a year. 0: only for the present connections. */
  addToGroup(hub: string, group: string, ttlSeconds?: number): Promise<void>;
  removeFromGroup(hub: string, group: string): Promise<void>;
  removeFromAllGroups(hub: string): Promise<void>;
  isInGroup(hub: string, group: string): Promise<boolean>;
  /**
   * Puts the user's room of the hub in use; resolves when every object with connections of the user follows it. May be
   * repeated. False if `ifConnected` is set and the user has no connection. Throws `unavailable`.
   */
  useRoom(hub: string, use: RoomUse): Promise<boolean>;
  /** Ends that use; does nothing if there is another one by now. */
  disuseRoom(hub: string, id: string): Promise<void>;
  /** Deletes the storage of all users of the object if it cannot be read; returns whether it did. */
  repair(): Promise<boolean>;
}

type WithUser<F> = F extends (...args: infer A) => infer R
  ? (user: string, ...args: A) => R
  : never;

/** The object that holds the accounts of several users: each method names the user first. */
export type AccountObjectRpc = {
  readonly [K in keyof AccountRpc]: WithUser<AccountRpc[K]>;
};
