// Runs an action of the room's state for another object, until it is saved.

import { isUnexpected, publicError } from "../../model/errors.ts";
import { logError } from "../../model/logger.ts";
import { noState } from "../object/state-access.ts";
import type { RunResult, Run } from "../rpc/state-rpc.ts";
import type { RoomParts } from "./room-parts.ts";

/** Rejects with the error of the action. An error that callers must not see is logged, and becomes `internal`. */
export async function runDurably(
  { address, publisher, state }: Pick<RoomParts, "address" | "publisher" | "state">,
  run: Run,
): Promise<RunResult> {
  try {
    const { ticket, ...ran } = await (state ?? noState()).run(run);
    await publisher.untilSaved();
    if (ticket.error) throw ticket.error;
    return ran;
  } catch (error) {
    if (!isUnexpected(error)) throw error;
    logError("action_failed", { hub: address.hub, action: run.action, error });
    throw publicError(error);
  }
}
