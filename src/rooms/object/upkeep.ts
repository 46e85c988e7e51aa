// The use of an object, and the alarm that it keeps for as long as it is in use.

import { logError } from "../../model/logger.ts";
import { REPEAT_MS } from "../links/rooms-by-name.ts";
import type { Duty } from "../platform/alarm-agenda.ts";
import type { ObjectCore } from "./object-parts.ts";

/** Whether a crash would end what only this object reports: its sockets. Followers report changes themselves. */
export const isUsed = ({ connections, followed }: ObjectCore): boolean =>
  connections.all.size > 0 || !followed.rooms.isEmpty;

/** Whether any part that all objects have keeps something. */
export const isCoreInUse = ({ connections, followed, webhooks }: ObjectCore): boolean =>
  connections.all.size > 0 || !followed.rooms.isEmpty || webhooks?.isIdle === false;

/**
 * Keeps an alarm set while the object is in use: after a crash the object wakes by it, and its rooms and presence learn
 * of the connections that did not survive.
 */
export function upkeep(ctx: DurableObjectState, core: ObjectCore): Duty {
  const { followed, sweepMs } = core;
  return {
    due: (at) => (isUsed(core) ? at + (followed.rooms.isStale ? REPEAT_MS : sweepMs()) : undefined),
    // Not awaited: a room that does not answer must not hold up this object's other duties.
    run: () =>
      ctx.waitUntil(
        followed.rooms.settle().catch((error: unknown) => logError("background_failed", { error })),
      ),
  };
}
