// L3: names that nobody uses, in reads, in refusals and in forged connection tokens: what they leave on disk.

import type { Attack, Outcome, Stage } from "./attack.ts";
import { Peer, pause, request, tally } from "./peer.ts";

const ROOMS = 300;
const RELAYS = 300;
/** Calls over HTTP that one user may make at once (docs/json-rpc.md). */
const POST_BURST = 5_000;

const chunks = (count: number, size: number): number[][] =>
  Array.from({ length: Math.ceil(count / size) }, (_, c) =>
    Array.from({ length: Math.min(size, count - c * size) }, (_one, i) => c * size + i),
  );

async function reads({ server }: Stage): Promise<string[]> {
  using peer = await Peer.hub(server, "mallory");
  const codes: string[] = [];
  for (const method of ["$/history", "$/presence", "$/track"])
    for (const some of chunks(ROOMS, 25)) {
      const calls = some.map((n) =>
        peer.call(method, { room: `group:${method.slice(2)}-${n}`, state: 1 }),
      );
      for (const answer of await Promise.all(calls))
        codes.push(
          `${method} ${answer?.error?.data?.code ?? (answer ? "answered" : "unanswered")}`,
        );
      await pause(400); // 50 calls a second are allowed.
    }
  return codes;
}

/** As many random characters as a real one has, with a proof that nobody gave. */
const forged = (n: number): string =>
  `${"A".repeat(22)}_mx2rcl0d_${"B".repeat(22)}@relay:weur.15.${n}`;

async function forgeries({ server }: Stage): Promise<string[]> {
  const statuses: string[] = [];
  for (const some of chunks(RELAYS, 20)) {
    const asked = some.map((n) => {
      const id = encodeURIComponent(forged(n));
      const [name, path, init] = [
        ["POST", `/hubs/hall?id=${id}`, { method: "POST", body: "{}\u001e" }] as const,
        ["poll", `/hubs/hall?id=${id}`, { method: "GET" }] as const,
        ["refresh", `/hubs/hall/refresh?id=${id}`, { method: "POST" }] as const,
      ][n % 3]!;
      return request(server, path, { user: "mallory", ...init }).then(
        ({ status }) => `${name} ${status}`,
        () => `${name} unanswered`,
      );
    });
    statuses.push(...(await Promise.all(asked)));
  }
  return statuses;
}

/** A minute's worth of calls by HTTP, which are connects of their own. */
export async function posts(
  { server, seconds }: Stage,
  path = "/hubs/hall/rpc",
): Promise<string[]> {
  const until = performance.now() + seconds * 500;
  const statuses: string[] = [];
  const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "take", params: [1] });
  const headers = { "content-type": "application/json" };
  const post = async (): Promise<void> => {
    while (performance.now() < until) {
      const init = { user: "mallory", method: "POST", body, headers };
      const { status } = await request(server, path, init);
      statuses.push(`rpc ${status}`);
    }
  };
  await Promise.all([post(), post(), post(), post()]);
  return statuses;
}

async function run(stage: Stage): Promise<Outcome> {
  // So that the attacker's own relay and account are there before.
  (await Peer.hub(stage.server, "mallory"))[Symbol.dispose]();
  const before = stage.server.stored();
  const codes = [...(await reads(stage)), ...(await forgeries(stage))];
  const after = stage.server.stored();
  const posted = await posts(stage);
  const [objects, bytes] = [after.objects - before.objects, after.bytes - before.bytes];
  const isRefused = posted.length < POST_BURST || posted.includes("rpc 429");
  return {
    facts: [
      `${objects} objects, ${Math.round(bytes / 1024)} KB more on disk`,
      tally(codes),
      tally(posted),
    ],
    failures: [
      ...(objects > 0 ? [`${objects} objects were made`] : []),
      ...(isRefused ? [] : [`${posted.length} POSTs, none refused by rate`]),
    ],
  };
}

export const births: Attack = {
  ...{ name: "L3", title: "reads and forged tokens of 1,200 unused names", isWatched: true },
  ...{ takes: 50, run },
};
