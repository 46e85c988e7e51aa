// R9: one client calls ten times as often as it may, for a minute, beside 100 clients that call as often as they may.

import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Attack, Outcome, Stage } from "./attack.ts";
import { Peer, pause, percentile, tally } from "./peer.ts";
import type { Server } from "./server.ts";

const CLIENTS = 100;
/** `callsPerSecond`. */
const RATE = 50;
const TIMES = 10;
const SLOWER_BOUND = 1.5;

async function caller(peer: Peer, until: number, took: number[]): Promise<void> {
  const calls: Promise<unknown>[] = [];
  const began = performance.now();
  for (let n = 0; performance.now() < until; n += 1) {
    const due = began + (n * 1_000) / RATE;
    await pause(Math.max(0, due - performance.now()));
    calls.push(
      peer.call("take", [n]).then((answer) => answer && took.push(performance.now() - due)),
    );
  }
  await Promise.all(calls);
}

interface Flooded {
  /** How often each answer came, by its code. */
  readonly codes: Readonly<Record<string, number>>;
  readonly closes: readonly number[];
}

/** In a process of its own. */
async function flood(server: Server, seconds: number): Promise<Flooded> {
  const script = join(import.meta.dirname, "flooder-process.ts");
  const hub = `ws://127.0.0.1:${server.port}/hubs/hall/rpc?access_token=${server.token("mallory")}`;
  const args = [script, hub, String(RATE * TIMES), String(seconds)];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  return JSON.parse(stdout) as Flooded;
}

async function run({ server, seconds }: Stage): Promise<Outcome> {
  const peers = await Promise.all(
    Array.from({ length: CLIENTS }, (_, n) => Peer.hub(server, `caller-${n}`)),
  );
  const during = async (ms: number): Promise<number[]> => {
    const took: number[] = [];
    const until = performance.now() + ms;
    await Promise.all(peers.map((peer) => caller(peer, until, took)));
    return took;
  };
  await during(3_000);
  const calm = await during(10_000);
  const flooding = flood(server, 6 * seconds);
  const under = await during(6 * seconds * 1_000);
  const { codes, closes } = await flooding;
  for (const peer of peers) peer[Symbol.dispose]();
  const [was, is] = [percentile(calm, 0.99), percentile(under, 0.99)];
  return {
    facts: [
      `p99 of others' calls ${was.toFixed(1)} → ${is.toFixed(1)} ms`,
      `flooder: ${Object.entries(codes)
        .map(([code, count]) => `${count} × ${code}`)
        .join(", ")}; closed: ${tally(closes) || "never"}`,
    ],
    failures: [
      ...(is <= SLOWER_BOUND * was ? [] : [`p99 of others ${(is / was).toFixed(1)} × undisturbed`]),
      ...(codes["rate_limited"] || closes.length > 0 ? [] : ["the flooder is not throttled"]),
    ],
  };
}

export const flowControl: Attack = {
  ...{ name: "R9", title: "one client at ten times its rate, 100 at theirs", isWatched: false },
  ...{ takes: 80, run },
};
