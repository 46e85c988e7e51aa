// Messages that are published only if their room is still at a position, so that an earlier check is still valid.

import type { ClientCall } from "../../model/audiences.ts";
import type { Position, Topic } from "../../model/topic.ts";
import type { Publications, Ticket } from "../../rooms/delivery/fan-out.ts";

interface Publishes {
  publish(topic: Topic, call: ClientCall): Promise<void>;
}

/** A messenger whose publications have the condition. */
export const messengerAt = <M extends Publishes>(messenger: M, ifAt: Position): M => ({
  ...messenger,
  publish: (topic: Topic, call: ClientCall) => messenger.publish(topic, { ...call, ifAt }),
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
