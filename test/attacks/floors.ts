// Floors: the loads of attacks on an object by hand, in the same worker, which does only what any must: it takes what
// comes, closes a flood, and reads what may be read. What bystanders notice is the engine's own cost, on one thread for
// all; no bound of ours can be below it.

import type { Attack, Outcome, Stage } from "./attack.ts";
import { BURST, floodAll } from "./l2-uncounted.ts";
import { posts } from "./l3-births.ts";
import { batch, REQUESTS_A_SECOND } from "./l4-history.ts";
import { CONNECTIONS_A_SECOND, hold } from "./l5-held.ts";
import { A_SECOND } from "./l14-storm-of-connects.ts";
import { paced, Peer, pause, request } from "./peer.ts";

const BARE = "/attack/bare";

const open = ({ server }: Stage): Promise<Peer> =>
  Peer.open(`ws://127.0.0.1:${server.port}${BARE}`);

const outcome = (
  fact: string,
  { peers = [], failed = 0 }: { readonly peers?: readonly Peer[]; readonly failed?: number } = {},
): Outcome => ({
  facts: [fact],
  failures: failed > 0 ? [`${failed} were not answered as they should be`] : [],
  release: () => peers.forEach((peer) => peer[Symbol.dispose]()),
});

async function postsAlone(stage: Stage): Promise<Outcome> {
  const answered = await posts(stage, BARE);
  const failed = answered.filter((status) => !status.endsWith(" 200")).length;
  return outcome(`${answered.length} answered`, { failed });
}

/** The object closes its sockets behind the same burst, and refuses all for as long as ours does at first. */
const floodsAlone = (stage: Stage): Promise<Outcome> =>
  floodAll(
    stage,
    () => () => Peer.open(`ws://127.0.0.1:${stage.server.port}${BARE}?burst=${BURST}`),
  );

async function batchesAlone(stage: Stage): Promise<Outcome> {
  let answered = 0;
  const count = stage.seconds * REQUESTS_A_SECOND;
  await paced(REQUESTS_A_SECOND, count, async () => {
    const init = { user: "mallory", method: "POST", body: batch() };
    const response = await request(stage.server, BARE, init);
    const answers = response.ok ? ((await response.json()) as unknown[]) : [];
    if (answers.length > 1) answered += 1;
  });
  return outcome(`${answered} answered`, { failed: count - answered });
}

async function framesAlone(stage: Stage): Promise<Outcome> {
  const peers: Peer[] = [];
  for (let n = 0; n < CONNECTIONS_A_SECOND * stage.seconds; n += 1) {
    const peer = await open(stage);
    peers.push(peer);
    await hold(peer, n % 2 === 0);
  }
  await pause(2_000);
  return outcome(`${peers.length} connections`, { peers });
}

async function connectsAlone(stage: Stage): Promise<Outcome> {
  const peers: Peer[] = [];
  await paced(A_SECOND, stage.seconds * A_SECOND, async () => void peers.push(await open(stage)));
  return outcome(`${peers.length} in`, { peers });
}

const floor = (of: string, title: string, run: Attack["run"]): Attack => ({
  ...{ name: `${of}-floor`, title: `${title}, at an object by hand` },
  ...{ isWatched: true, isFloor: true, takes: 40, run },
});

export const floors: readonly Attack[] = [
  floor("L2", "the floods of L2", floodsAlone),
  floor("L3", "the requests of L3's end", postsAlone),
  floor("L4", "the requests of L4", batchesAlone),
  floor("L5", "the frames of L5", framesAlone),
  floor("L14", "the connects of L14", connectsAlone),
];
