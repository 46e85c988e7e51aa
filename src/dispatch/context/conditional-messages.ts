// Messages that are published only if their room is still at a position, so that an earlier check is still valid.

import type { Position } from "../../model/topic.ts";
import type { Publications, Ticket } from "../../rooms/delivery/fan-out.ts";
import type { Messenger } from "./messenger.ts";

/** A messenger whose publications have the condition. */
export const messengerAt = (messenger: Messenger, ifAt: Position): Messenger => ({
  ...messenger,
  publish: (topic, call) => messenger.publish(topic, { ...call, ifAt }),
});

/** Waits, unlike for other publications, until the room has numbered it, and rejects with `conflict` if it did not. */
export async function conflictOf(
  result: Ticket | Promise<unknown>,
  published: Publications,
): Promise<void> {
  if (result instanceof Promise) return void (await result);
  if (result.error) throw result.error;
  published.add(result);
}
