// L1: one `$/resume` frame with 1,500 names of rooms, 28 KB, again and again.

import type { Attack, Outcome, Stage } from "./attack.ts";
import { Peer, percentile, tally } from "./peer.ts";

const FRAMES = 25;
const ROOMS = 1_500;

async function run({ server }: Stage): Promise<Outcome> {
  const peer = await Peer.hub(server, "mallory");
  const took: number[] = [];
  const answers: string[] = [];
  for (let i = 0; i < FRAMES && peer.isOpen; i += 1) {
    const names = Array.from({ length: ROOMS }, (_, n) => [`group:${i}-${n}`, "e:1"]);
    const began = performance.now();
    const answer = await peer.call("$/resume", { rooms: Object.fromEntries(names) });
    took.push(performance.now() - began);
    answers.push(answer ? (answer.error?.data?.code ?? "joined") : "no answer");
  }
  const slowest = Math.max(...took);
  return {
    facts: [
      tally(answers),
      `p50 ${percentile(took, 0.5).toFixed(0)} ms, first ${took[0]!.toFixed(0)} ms`,
    ],
    failures: slowest > 1_000 ? [`one frame took ${(slowest / 1_000).toFixed(1)} s`] : [],
    release: () => peer[Symbol.dispose](),
  };
}

export const resume: Attack = {
  ...{ name: "L1", title: "`$/resume` of 1,500 rooms, 25 times", isWatched: true, takes: 30, run },
};
