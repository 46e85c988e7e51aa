// R14: half an hour of churn: 100 bystanders at 10 messages/s, a client that is cut and comes back each second, a room
// of short age that is used and left each second, and an object aborted each minute. Memory and storage stay flat.

import type { Attack, Outcome, Stage } from "./attack.ts";
import { Crowd } from "./crowd.ts";
import { use } from "./l6-ends.ts";
import { Peer, pause, tally } from "./peer.ts";
import type { Server } from "./server.ts";

const MINUTES = 30;
/** Little enough for a machine that has other work meanwhile: nothing here is measured in milliseconds. */
const [MEMBERS, PER_SECOND] = [100, 10];
/** An unused room is gone twelve minutes after its use: from here on as many end as begin. */
const SETTLED_MINUTES = 16;

interface Sample {
  readonly minute: number;
  readonly resident: number;
  readonly alive: number;
  readonly objects: number;
  readonly bytes: number;
}

async function sample(server: Server, began: number): Promise<Sample> {
  return {
    minute: (performance.now() - began) / 60_000,
    resident: server.residentBytes(),
    alive: (await server.heap()).alive,
    ...server.stored(),
  };
}

/** Each cut in another way, and back by its position. */
async function churn(server: Server, until: number, wrong: string[]): Promise<number> {
  const at = new Map<number, string>();
  let cuts = 0;
  for (let n = 0; performance.now() < until; n += 1) {
    const who = n % 50;
    const since = at.get(who);
    const query = since === undefined ? "" : `&since=${since}`;
    const peer = await Peer.room(server, "hall/group:churn", `churn-${who}`, query).catch(
      (error: Error) => error.message,
    );
    if (typeof peer === "string") {
      wrong.push(peer);
      continue;
    }
    await peer.call("say", ["churn", `${n}`]);
    const { position, recovered } =
      peer.frames.find(({ method }) => method === "$/connected")?.params ?? {};
    if (since !== undefined && !recovered) wrong.push("not recovered");
    at.set(who, peer.frames.findLast((frame) => frame.position)?.position ?? position);
    if (n % 3 === 0) peer.socket.close(1000);
    else if (n % 3 === 1) peer[Symbol.dispose]();
    else peer.socket.pause();
    cuts += 1;
    await pause(1_000);
  }
  return cuts;
}

async function rooms(server: Server, until: number): Promise<number> {
  let n = 0;
  for (; performance.now() < until; n += 1) {
    await use(server, [n]).catch(() => {});
    await pause(1_000);
  }
  return n;
}

async function aborts(server: Server, until: number): Promise<number> {
  let n = 0;
  for (; performance.now() < until; n += 1) {
    await pause(60_000);
    await server.abort("hall/group/churn").catch(() => {});
  }
  return n;
}

const mb = (bytes: number): string => (bytes / 2 ** 20).toFixed(1);

async function run({ server, seconds }: Stage): Promise<Outcome> {
  const minutes = (MINUTES * seconds) / 10;
  const began = performance.now();
  const until = began + minutes * 60_000;
  using crowd = await Crowd.enter(server, { members: MEMBERS, perSecond: PER_SECOND });
  const wrong: string[] = [];
  const samples: Sample[] = [];
  const measure = async (): Promise<void> => {
    for (; performance.now() < until; await pause(60_000)) {
      const one = await sample(server, began);
      samples.push(one);
      const { minute, resident, alive, objects, bytes } = one;
      console.error(
        `minute ${minute.toFixed(0)}: ${mb(resident)} MB resident, ${mb(alive)} MB heap, ${objects} objects, ${mb(bytes)} MB on disk`,
      );
    }
  };
  const [cuts, used, aborted] = await Promise.all([
    churn(server, until, wrong),
    rooms(server, until),
    aborts(server, until),
    measure(),
  ]);
  const seen = await crowd.look();
  const settled = samples.filter(({ minute }) => minute >= SETTLED_MINUTES);
  const [first, last] = [settled[0] ?? samples[0]!, samples.at(-1)!];
  const grown = (what: keyof Sample): number => last[what] / first[what];
  return {
    facts: [
      `${minutes} minutes, ${cuts} cuts, ${used} rooms, ${aborted} aborts`,
      `minute ${first.minute.toFixed(0)} → ${last.minute.toFixed(0)}: ${mb(first.resident)} → ${mb(last.resident)} MB resident, ` +
        `${mb(first.alive)} → ${mb(last.alive)} MB heap, ${first.objects} → ${last.objects} objects, ` +
        `${mb(first.bytes)} → ${mb(last.bytes)} MB on disk`,
      `bystanders: ${seen.missing} missing, ${seen.closed} closed`,
    ],
    failures: [
      ...(wrong.length > 0 ? [tally(wrong)] : []),
      ...(seen.missing > 0 || seen.closed > 0 ? ["bystanders lost something"] : []),
      ...(["alive", "objects"] as const).flatMap((what) =>
        grown(what) <= 1.2 ? [] : [`${what} grew ${grown(what).toFixed(2)} ×`],
      ),
    ],
  };
}

export const soak: Attack = {
  ...{ name: "R14", title: "30 minutes of churn", isWatched: false, takes: 1_800, run },
};
