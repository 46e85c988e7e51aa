// A room's state for protocols that only have calls of client methods: `RoomState(room, state, position)`, then
// `RoomPatch(room, patch, position)` for each change, under these names or those of the hub.

import type { Outgoing, OutgoingInvocation } from "../model/message.ts";
import { STATE_NAMES, type StateNames } from "../model/state-wire.ts";

type StateMessage = Extract<Outgoing, { type: "state" }>;

/** Both kinds of `StateChange` begin with a name of this length. */
const VALUE_AT = '{"patch":'.length;

/** Undefined if nothing is sent. */
export function stateInvocation(
  message: StateMessage,
  { snapshot, patch }: StateNames = STATE_NAMES,
): OutgoingInvocation | undefined {
  const { room, position, params } = message;
  if (params === "") return undefined;
  const value = params.slice(VALUE_AT, -1);
  return {
    type: "invocation",
    target: params.startsWith('{"state"') ? snapshot : patch,
    params: `[${JSON.stringify(room)},${value},${JSON.stringify(position)}]`,
  };
}
