// Waits until a followed room's deliveries have come to a position. Rooms that are slow keep nobody waiting for long.

import type { Position } from "../../model/position.ts";

/** How long a delivery is waited for. */
const MOST_MS = 2_000;

interface Waiter {
  readonly position: Position;
  readonly until: number;
  resolve(): void;
}

export class ReachedPositions {
  readonly #waiters = new Set<Waiter>();
  #timer: AbortController | undefined;

  /** Done when `reach` was called for this position or a later one, or the room was too slow. */
  wait(position: Position): Promise<void> {
    return new Promise((resolve) => {
      this.#waiters.add({ position, until: Date.now() + MOST_MS, resolve });
      if (!this.#timer) void this.#expire((this.#timer = new AbortController()));
    });
  }

  reach(position: Position): void {
    if (this.#waiters.size > 0) this.#release((waiter) => isReached(waiter.position, position));
  }

  #release(isOver: (waiter: Waiter) => boolean): void {
    for (const waiter of this.#waiters) {
      if (!isOver(waiter)) continue;
      this.#waiters.delete(waiter);
      waiter.resolve();
    }
    if (this.#waiters.size > 0) return;
    this.#timer?.abort();
    this.#timer = undefined;
  }

  /** One timer for all waiters: it ends with the last of them. */
  async #expire({ signal }: AbortController): Promise<void> {
    while (!signal.aborted) {
      // oxlint-disable-next-line no-await-in-loop -- one wait after another
      await scheduler.wait(MOST_MS, { signal }).catch(() => {});
      const now = Date.now();
      if (!signal.aborted) this.#release(({ until }) => until <= now);
    }
  }
}

/** Another epoch is another log: a position in the one that was lost is never reached. */
export const isReached = (position: Position, at: Position): boolean =>
  at.epoch !== position.epoch || at.offset >= position.offset;
