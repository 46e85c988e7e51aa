// Calls of other objects about this room's state.

import { isUnexpected, serverError } from "../../model/errors.ts";
import { logError } from "../../model/logger.ts";
import type { Position } from "../../model/topic.ts";
import { noState, viewOf, wholeOf } from "../object/state-access.ts";
import type { RunResult, Run, Snapshot } from "../rpc/state-rpc.ts";
import type { RoomState } from "../state/room-state.ts";
import type { RoomParts } from "./room-parts.ts";

type Parts = Pick<RoomParts, "address" | "publisher" | "state">;

/** Rejects with the error of the action. An error that callers must not see is logged, and becomes `internal`. */
export async function runDurably(parts: Parts, run: Run): Promise<RunResult> {
  try {
    const { ticket, ...ran } = await stateOf(parts).run(run);
    await parts.publisher.untilSaved();
    if (ticket.error) throw ticket.error;
    return ran;
  } catch (error) {
    if (!isUnexpected(error)) throw error;
    logError("action_failed", { hub: parts.address.hub, action: run.action, error });
    throw serverError("internal", "The server failed; its log has the details.");
  }
}

export const wholeState = async (parts: Parts): Promise<Snapshot> => wholeOf(stateOf(parts));

/** Throws `method_not_found` if clients see nothing of the state. */
export const viewedState = async (parts: Parts): Promise<Snapshot> => viewOf(stateOf(parts));

export const reloadState = async (parts: Parts): Promise<Position> =>
  stateOf(parts).transfer.reload();

export const scheduleOfState = async (parts: Parts) => stateOf(parts).transfer.schedule();

export const cancelScheduled = async (parts: Parts, id: string) =>
  stateOf(parts).transfer.cancel(id);

export const exportState = async (parts: Parts, at?: Position) =>
  stateOf(parts).transfer.export(at);

export const importState = async (parts: Parts, exported: Uint8Array) =>
  stateOf(parts).transfer.import(exported);

const stateOf = ({ state }: Parts): RoomState => state ?? noState();
