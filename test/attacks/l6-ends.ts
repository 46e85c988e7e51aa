// L6: 1,000 rooms are used and left. Once their messages' age has passed, the disk is what it was.

import type { Attack, Outcome, Stage } from "./attack.ts";
import { Peer, pause } from "./peer.ts";
import type { Server } from "./server.ts";

const ROOMS = 1_000;
/**
 * `brief` keeps messages for 30 s: erased within as much again, and an object ends ten minutes after its last report.
 */
const AGE_MS = 60_000 + 600_000;
/** Sweeps and reports come on top. */
const SLACK_MS = 240_000;
/** The hub's index keeps its totals for a day, and 64 accounts look once a day. */
const MOST_LEFT = 65;

export async function use(server: Server, rooms: readonly number[]): Promise<void> {
  for (const n of rooms) {
    // A user may be in 1,000 rooms, and connects 20 times a second.
    using peer = await Peer.room(server, `brief/group:room-${n}`, `user-${n % 100}`);
    await peer.call("say", [`room-${n}`, `message of room ${n} ${"x".repeat(1_000)}`]);
    // On purpose, so that its leave needs no grace.
    await new Promise((resolve) => peer.socket.once("close", resolve).close(1000));
  }
}

async function run({ server }: Stage): Promise<Outcome> {
  const rooms = Array.from({ length: ROOMS }, (_, n) => n);
  const lanes = Array.from({ length: 5 }, (_, lane) => rooms.filter((n) => n % 5 === lane));
  await Promise.all(lanes.map((lane) => use(server, lane)));
  const full = server.stored();
  const began = performance.now();
  let now = full;
  while (now.objects > MOST_LEFT && performance.now() - began < AGE_MS + SLACK_MS) {
    await pause(20_000);
    now = server.stored();
  }
  const minutes = ((performance.now() - began) / 60_000).toFixed(1);
  const mb = ({ bytes }: { bytes: number }) => (bytes / 2 ** 20).toFixed(1);
  return {
    facts: [
      `${full.objects} objects with ${mb(full)} MB; ${minutes} minutes later ${now.objects} with ${mb(now)} MB`,
    ],
    failures: now.objects > MOST_LEFT ? [`${now.objects} objects are still there`] : [],
  };
}

export const ends: Attack = {
  ...{ name: "L6", title: "1,000 rooms are used, and their age passes", isWatched: false },
  ...{ takes: 900, run },
};
