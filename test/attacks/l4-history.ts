// L4: 2,500 calls a second of one user, 100 a request, each for the last message of a room with a full log.

import type { Attack, Outcome, Stage } from "./attack.ts";
import { paced, Peer, pause, request, tally } from "./peer.ts";
import { LOBBY } from "./crowd.ts";

const MESSAGES = 100;
const BATCH = 100;
export const REQUESTS_A_SECOND = 25;

async function fill({ server }: Stage): Promise<void> {
  using peer = await Peer.room(server, "hall/group:vault", "mallory");
  for (let i = 0; i < MESSAGES; i += 1) {
    const answer = await peer.call("say", ["vault", "x".repeat(11_900)]);
    if (answer?.error?.data?.code === "rate_limited") i -= 1;
    await pause(25);
  }
}

export const batch = (): string =>
  JSON.stringify(
    Array.from({ length: BATCH }, (_, id) => {
      const room = `group:${id % 2 === 0 ? "vault" : LOBBY}`;
      return { jsonrpc: "2.0", id, method: "$/history", params: { room, limit: 1 } };
    }),
  );

async function run(stage: Stage): Promise<Outcome> {
  await fill(stage);
  const headers = { "content-type": "application/json" };
  const codes: string[] = [];
  let bytes = 0;
  const ask = async (): Promise<void> => {
    const init = { user: "mallory", method: "POST", body: batch(), headers };
    const response = await request(stage.server, "/hubs/hall/rpc", init).catch(() => undefined);
    if (response?.status !== 200)
      return void codes.push(`request ${response?.status ?? "unanswered"}`);
    const text = await response.text();
    bytes += text.length;
    for (const { error } of JSON.parse(text) as { error?: { data: { code: string } } }[])
      codes.push(error?.data.code ?? "read");
  };
  const began = performance.now();
  await paced(REQUESTS_A_SECOND, stage.seconds * REQUESTS_A_SECOND, ask);
  const seconds = (performance.now() - began) / 1_000;
  return {
    facts: [tally(codes), `${(bytes / 2 ** 20 / seconds).toFixed(1)} MB/s out`],
    failures: [],
  };
}

export const history: Attack = {
  ...{ name: "L4", title: "2,500 `$/history` a second, 100 a request", isWatched: true },
  ...{ takes: 40, run },
};
