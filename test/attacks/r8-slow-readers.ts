// R8: 20 of 1,000 members of a room stop reading while 100 messages of 1 KB a second are published.

import type { Attack, Outcome, Stage } from "./attack.ts";
import { Crowd, LOBBY } from "./crowd.ts";
import { Peer, pause, tally, timeUntil } from "./peer.ts";

const MEMBERS = 980;
const SLOW = 20;
const PER_SECOND = 100;
const BYTES = 1_000;
/** `queuedBytes` of each and a fifth, beside what the kernel queues. */
const HELD_BOUND = SLOW * 2 ** 20 * 1.2;
const SLOWER_BOUND = 1.2;
/** The kernel takes some megabytes of each before the engine's own queue begins to grow. */
const PATIENCE_MS = 150_000;

async function run({ server }: Stage): Promise<Outcome> {
  using crowd = await Crowd.enter(server, {
    ...{ members: MEMBERS, perSecond: PER_SECOND, bytes: BYTES, isDirect: true },
  });
  using watcher = await Peer.room(server, `hall/group:other`, "watcher");
  const connections = async () => {
    const answer = await watcher.call("$/presence", { room: `group:${LOBBY}`, limit: 0 });
    return answer?.result?.connections as number;
  };
  const slow: Peer[] = [];
  for (let i = 0; i < SLOW; i += 1)
    slow.push(await Peer.room(server, `hall/group:${LOBBY}`, `slow-${i}`));
  for (const peer of slow) peer.onFrame = () => {};
  await pause(2_000);
  await crowd.look();
  const before = (await server.heap()).alive;
  await pause(6_000);
  const calm = await crowd.look();
  const all = await connections();
  for (const peer of slow) peer.socket.pause();
  await pause(15_000);
  const under = await crowd.look();
  let peak = 0;
  const isOver = async () => {
    peak = Math.max(peak, server.residentBytes());
    return (await connections()) <= all - SLOW;
  };
  const resident = server.residentBytes();
  const ms = await timeUntil(isOver, PATIENCE_MS, 500);
  const held = (await server.heap()).alive - before;
  for (const peer of slow) peer.socket.resume();
  // The Close frame is behind some megabytes of messages.
  await timeUntil(async () => slow.every(({ closeCode }) => closeCode !== undefined), 30_000);
  const codes = tally(slow.map(({ closeCode }) => closeCode ?? "open"));
  using back = await Peer.room(server, `hall/group:${LOBBY}`, "slow-0");
  const isServed = await timeUntil(
    async () => back.frames.some(({ method }) => method === "said"),
    5_000,
  );
  const times = under.p99 / calm.p99;
  return {
    facts: [
      `p99 of others ${calm.p99.toFixed(1)} → ${under.p99.toFixed(1)} ms`,
      `let go after ${ms === undefined ? "> 150 s" : `${(15 + ms / 1_000).toFixed(0)} s`}: ${codes}`,
      `resident +${((peak - resident) / 2 ** 20).toFixed(0)} MB, heap +${(held / 2 ** 20).toFixed(0)} MB`,
    ],
    failures: [
      ...(times <= SLOWER_BOUND ? [] : [`p99 of others ${times.toFixed(1)} × undisturbed`]),
      ...(codes === `${SLOW} × 4408` ? [] : ["not all are closed with 4408"]),
      ...(peak - resident <= HELD_BOUND
        ? []
        : ["more resident memory than their queues and a fifth"]),
      ...(isServed === undefined ? ["a slow reader that came back is not served"] : []),
      ...(under.missing > 0 ? [`${under.missing} deliveries missing`] : []),
    ],
  };
}

export const slowReaders: Attack = {
  ...{ name: "R8", title: "20 of 1,000 stop reading", isWatched: false, takes: 120, run },
};
