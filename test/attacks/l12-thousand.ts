// L12: a user with connections in 1,000 rooms tries on, four times a second: what other users' connects take meanwhile.

import type { Attack, Outcome, Stage } from "./attack.ts";
import { Peer, pause, percentile, tally } from "./peer.ts";

const ROOMS = 1_000;

async function settle({ server }: Stage, peers: Peer[]): Promise<void> {
  for (let n = 0; n < ROOMS;) {
    const peer = await Peer.room(server, `hall/group:place-${n}`, "mallory").catch(
      (error: Error & { status?: number }) => error.status ?? 0,
    );
    if (typeof peer === "number") await pause(200);
    else n = peers.push(peer);
  }
}

/** Connects of others, 20 a second. */
async function connects({ server, seconds }: Stage, name: string): Promise<number[]> {
  const took: Promise<number>[] = [];
  for (let i = 0; i < seconds * 20; i += 1) {
    const connect = async (): Promise<number> => {
      const began = performance.now();
      const peer = await Peer.room(server, "hall/group:others", `${name}-${i}`);
      const ms = performance.now() - began;
      peer[Symbol.dispose]();
      return ms;
    };
    took.push(connect());
    await pause(50);
  }
  return Promise.all(took);
}

async function run(stage: Stage): Promise<Outcome> {
  const peers: Peer[] = [];
  await settle(stage, peers);
  const calm = await connects(stage, "calm");
  const tries: string[] = [];
  const trying = setInterval(() => {
    Peer.room(stage.server, `hall/group:more-${tries.length}`, "mallory").then(
      (peer) => (tries.push("let in"), peers.push(peer)),
      (error: Error) => tries.push(error.message),
    );
  }, 250);
  const under = await connects(stage, "under");
  clearInterval(trying);
  const words = (share: number) =>
    `${percentile(calm, share).toFixed(0)} → ${percentile(under, share).toFixed(0)} ms`;
  for (const peer of peers) peer[Symbol.dispose]();
  return {
    facts: [`connects of others: p50 ${words(0.5)}, p99 ${words(0.99)}`, tally(tries)],
    failures:
      percentile(under, 0.99) > 2 * percentile(calm, 0.99) ? ["p99 of connects above twice"] : [],
  };
}

export const thousand: Attack = {
  ...{ name: "L12", title: "a user in 1,000 rooms tries on", isWatched: false, takes: 80, run },
};
