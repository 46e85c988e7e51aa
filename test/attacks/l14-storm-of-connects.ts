// L14: 208 clients of a whole hub connect each second. Those that are refused come back by `retry-after`.

import type { Attack, Outcome, Stage } from "./attack.ts";
import { paced, Peer, pause, percentile, tally } from "./peer.ts";

export const A_SECOND = 208;
/** All must be in by then, counted from the first. */
const PATIENCE_MS = 70_000;

interface Refusal extends Error {
  readonly status?: number;
  readonly retryAfter?: number;
}

class Storm {
  readonly peers: Peer[] = [];
  readonly took: number[] = [];
  readonly refusals: string[] = [];
  readonly wrong: string[] = [];
  readonly #stage: Stage;
  readonly #until = performance.now() + PATIENCE_MS;

  constructor(stage: Stage) {
    this.#stage = stage;
  }

  async client(n: number): Promise<void> {
    const began = performance.now();
    while (performance.now() < this.#until) {
      try {
        const peer = await Peer.hub(this.#stage.server, `storm-${n}`);
        peer.onFrame = () => {};
        this.peers.push(peer);
        this.took.push(performance.now() - began);
        return;
      } catch (error) {
        await this.#refused(error as Refusal);
      }
    }
  }

  async #refused({ status, retryAfter, message }: Refusal): Promise<void> {
    this.refusals.push(status === undefined ? message : `${status}`);
    if (status === undefined) this.wrong.push(`a connect ended with: ${message}`);
    else if (status !== 503 && status !== 429) this.wrong.push(`refused with ${status}`);
    else if (Number.isNaN(retryAfter)) this.wrong.push("refused without retry-after");
    await pause(1_000 * (retryAfter || 1) + Math.random() * 1_000);
  }
}

async function run(stage: Stage): Promise<Outcome> {
  const storm = new Storm(stage);
  const count = A_SECOND * stage.seconds;
  await paced(A_SECOND, count, (n) => storm.client(n));
  const { peers, took, refusals, wrong } = storm;
  const seconds = (share: number) => `${(percentile(took, share) / 1_000).toFixed(2)} s`;
  return {
    facts: [
      `${peers.length} of ${count} in, p50 ${seconds(0.5)}, p99 ${seconds(0.99)}`,
      refusals.length > 0 ? `refused: ${tally(refusals)}` : "none refused",
    ],
    failures: [
      ...new Set(wrong),
      ...(peers.length === count ? [] : [`${count - peers.length} are not in after 70 s`]),
    ],
    release: () => peers.forEach((peer) => peer[Symbol.dispose]()),
  };
}

export const stormOfConnects: Attack = {
  ...{ name: "L14", title: "208 connects a second to a whole hub", isWatched: true },
  ...{ takes: 60, run },
};
