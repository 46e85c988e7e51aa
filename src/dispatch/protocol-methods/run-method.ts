// `$/run`: runs an action, optionally with a key, and with a position at which the room must still be. `$/snapshot`:
// the state as clients see it, for a client that is in the room and has no copy.

import * as z from "zod/mini";
import type { RunAnswer, StateSnapshot } from "../../model/state-wire.ts";
import { formatPosition, parsePosition } from "../../model/topic.ts";
import { parseOwnJson } from "../../protocols/exact-json.ts";
import { roomOfRun, runAction } from "../run/action-call.ts";
import { roomToEnter, type ProtocolCall } from "./protocol-call.ts";
import { IdempotencyKey } from "./room-methods.ts";

/** The most characters of an action's name. */
const MAX_ACTION = 128;

export const RunRequest = z.object({
  room: z.optional(z.string()),
  action: z.string().check(z.minLength(1), z.maxLength(MAX_ACTION)),
  params: z.optional(z.array(z.unknown())),
  idempotencyKey: z.optional(IdempotencyKey),
  at: z.optional(z.string()),
});

/** Runs an action. Throws `method_not_found`, `forbidden`, `conflict`, and the action's error. */
export async function run(
  { session, call }: ProtocolCall,
  { room, action: name, params: args = [], idempotencyKey: key, at }: z.output<typeof RunRequest>,
): Promise<RunAnswer> {
  const { result, position, repeated } = await runAction(session, call, {
    ...{ name, args, key },
    room: roomOfRun(session, room),
    at: at === undefined ? undefined : parsePosition(at),
  });
  return { result: parseOwnJson(result), position: formatPosition(position), repeated };
}

/**
 * Reads a snapshot, which counts as history. Throws `forbidden` for a room that the user may not enter, and
 * `method_not_found` if clients see no state.
 */
export async function snapshot(
  call: ProtocolCall,
  { room: name }: { readonly room?: string | undefined },
): Promise<StateSnapshot> {
  const room = await roomToEnter(call, name);
  const { host, historyBudget } = call.session;
  const { text: json, position } = await host.states.view(room);
  historyBudget.charge(json.length);
  return { state: JSON.parse(json) as unknown, position: formatPosition(position) };
}
