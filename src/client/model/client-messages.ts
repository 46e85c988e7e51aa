// Messages as the application receives them, live or from a room's history.

import type { AnyHub } from "../../dispatch/define/hub-definition.ts";
import type { ClientOf, WireResult } from "../../dispatch/define/hub-types.ts";
import type { PresenceChange } from "./room-presence.ts";

/** One call of a client method of the hub, by `method`. */
type CallOf<H extends AnyHub> = {
  readonly [K in keyof ClientOf<H> & string]: MethodCall<K, ClientOf<H>[K]>;
}[keyof ClientOf<H> & string];

interface MethodCall<K, F> {
  readonly method: K;
  /** The arguments in their wire types: a Date arrives as a string, undefined as null. */
  readonly params: F extends (...args: infer A) => unknown
    ? { readonly [I in keyof A]: WireResult<A[I]> }
    : readonly unknown[];
}

/** A change of the room's presence. */
interface PresenceCall {
  readonly method: "$/presence";
  readonly params: readonly [PresenceChange];
}

interface Place {
  readonly room?: string;
  /** `epoch:offset`. */
  readonly position?: string;
}

/** A message of the hub: published in a room, or sent to this client alone (then `room` and `position` are absent). */
export type HubMessage<H extends AnyHub = AnyHub> = CallOf<H> & Place;

/** A message that a connection receives: one of the hub's, or a change of presence. */
export type Message<H extends AnyHub = AnyHub> = HubMessage<H> | (PresenceCall & Place);

/** A message of a room's history, which has no presence. */
export type SavedMessage<H extends AnyHub = AnyHub> = CallOf<H> & {
  readonly position: string;
  /** When it was published, in milliseconds since 1970. */
  readonly at: number;
};

/** Which part of a room's history: the newest messages, or those after a position. */
export interface HistoryQuery {
  /** A position (`epoch:offset`): only messages after it. Absent: the newest messages of the room. */
  readonly since?: string | undefined;
  /** Messages in one page. The server caps it at a limit of its own. */
  readonly limit?: number | undefined;
  /** The newest messages, newest first. Default: oldest first. */
  readonly reverse?: boolean | undefined;
}

/** A part of a room's history, oldest message first. */
export interface HistoryPage<H extends AnyHub = AnyHub> {
  readonly messages: readonly SavedMessage<H>[];
  /**
   * The room's newest position (`epoch:offset`) at the time of the answer, not that of the page's last message. A
   * client in the room has received the live messages up to it before the page, and receives all later ones after it.
   */
  readonly position: string;
}
