// Commands of a service to connections: a selection of connections, and the command for each of them. Both are sent
// unchanged to every object that may hold one.

import type { CloseCode } from "../../model/errors.ts";
import type { Filter } from "../../model/filter.ts";
import type { Params } from "../../model/message.ts";
import type { TokenRules } from "../../model/token-rules.ts";

/** All conditions that are present must hold; an empty selection selects every connection of the object. */
export interface Selection {
  /** Connections in this room, as a topic. */
  readonly room?: string;
  /** Connections of this user, or of the guests of this account. */
  readonly user?: string;
  readonly connection?: string;
  readonly except?: readonly string[];
  readonly filter?: Filter;
  /** Connections whose token these rules revoke. */
  readonly tokens?: TokenRules;
}

export type Command =
  | (Params & { readonly type: "send"; readonly target: string })
  /** `room` is a topic, as text. `given`: the user's account repeats it whenever the user connects. */
  | { readonly type: "join"; readonly room: string; readonly given?: true }
  | { readonly type: "leave"; readonly room: string }
  /** Puts a connection into its user's own room, which is in use now. */
  | { readonly type: "ownRoom" }
  | { readonly type: "leaveGroups" }
  | { readonly type: "item"; readonly stream: string; readonly item: unknown }
  | { readonly type: "end"; readonly stream: string; readonly error?: string }
  | { readonly type: "close"; readonly why: CloseCode; readonly reason?: string };

export interface CommandOutcome {
  /** Connections that were selected. */
  readonly matched: number;
  /**
   * Number of remaining connections of the selection's user, selected or not, plus one if clients of the user that are
   * away are remembered; 0 if the selection names no user.
   */
  readonly present: number;
}
