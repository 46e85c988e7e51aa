// Time in turns of the microtask queue: how long a handler takes that waits for nothing.

/** Turns within which a handler ends, unless it waits for something. */
export const HANDLER_TURNS = 24;

/** So many turns, or until `over` says that nobody waits for them any more. */
export async function microtasks(count: number, over: () => boolean = () => false): Promise<void> {
  // Turn by turn is the point.
  // oxlint-disable-next-line no-await-in-loop, unicorn/no-unnecessary-await
  for (let turn = 0; turn < count && !over(); turn++) await null;
}
