// Whether an object is in use, and the alarm that it keeps set while it is.

import { logError } from "../../model/logger.ts";
import { REPEAT_MS } from "../links/rooms-by-name.ts";
import type { Duty } from "../platform/alarm-agenda.ts";
import type { ObjectCore } from "./object-parts.ts";

/** Whether the object has sockets or memberships, whose loss in a crash only its own next wake reports. */
export const isUsed = ({ connections, followed }: ObjectCore): boolean =>
  connections.all.size > 0 || !followed.rooms.isEmpty;

/** Whether any common part of the object has something to keep. */
export const isCoreInUse = (core: ObjectCore): boolean =>
  isUsed(core) || core.webhooks?.isIdle === false;

/**
 * Keeps an alarm set while the object is in use: it wakes the object after a crash, which then reports lost connections
 * to its rooms and presence.
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
