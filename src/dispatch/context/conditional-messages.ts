// Messages that are published only where their room still stands at a position: a check before them holds.

import type { ClientCall } from "../../model/audiences.ts";
import type { Position, Topic } from "../../model/topic.ts";
import type { Ticket } from "../../rooms/delivery/fan-out.ts";

interface Publishes {
  publish(topic: Topic, call: ClientCall): Promise<void>;
}

/** A messenger whose publications have the condition. */
export const messengerAt = <M extends Publishes>(messenger: M, ifAt: Position): M => ({
  ...messenger,
  publish: (topic: Topic, call: ClientCall) => messenger.publish(topic, { ...call, ifAt }),
});

/** Unlike others, these are waited for: whether the room stood there is known once they are numbered. */
export async function conflictOf(
  result: Ticket | Promise<unknown>,
  { tickets }: { readonly tickets: Ticket[] },
): Promise<void> {
  if (result instanceof Promise) return void (await result);
  if (result.error) throw result.error;
  tickets.push(result);
}
