// L5: calls that queue behind one which never ends, and uploads that nobody reads: on 50 connections of one user, as
// much as each limit lets through.

import type { Attack, Outcome, Stage } from "./attack.ts";
import { Peer, pause, tally } from "./peer.ts";

/** 50, as many as a user may have, where floods last ten seconds. */
export const CONNECTIONS_A_SECOND = 5;
const CALLS = 100;
const STREAMS = 20;
const ITEMS = 32;
/** Parsed JSON is many times its text. */
const LARGE = JSON.stringify(Array.from({ length: 10_300 }, () => ({})));

export async function hold(peer: Peer, isUpload: boolean): Promise<void> {
  const call = (id: string, method: string, params: string) =>
    peer.send(`{"jsonrpc":"2.0","id":"${id}","method":"${method}","params":${params}}`);
  if (!isUpload) {
    call("hang", "hang", "[]");
    for (let i = 0; i < CALLS && peer.isOpen; i += 1) call(`q${i}`, "take", `[${LARGE}]`);
    return;
  }
  for (let s = 0; s < STREAMS && peer.isOpen; s += 1)
    call(`u${s}`, "ignore", `[{"$stream":"s${s}"}]`);
  for (let i = 0; i < ITEMS; i += 1)
    for (let s = 0; s < STREAMS && peer.isOpen; s += 1) {
      while (peer.isOpen && peer.socket.bufferedAmount > 2 ** 20) await pause(5);
      peer.send(`{"jsonrpc":"2.0","method":"$/item","params":{"stream":"s${s}","item":${LARGE}}}`);
    }
}

async function run({ server, seconds }: Stage): Promise<Outcome> {
  const peers: Peer[] = [];
  const refused: string[] = [];
  const answers: string[] = [];
  for (let i = 0; i < CONNECTIONS_A_SECOND * seconds; i += 1) {
    const peer = await Peer.hub(server, "mallory").catch((error: Error) => error.message);
    if (typeof peer === "string") {
      refused.push(peer);
      continue;
    }
    peer.onFrame = ({ error }) => error && answers.push(error.data?.code ?? error.message);
    peers.push(peer);
    await hold(peer, i % 2 === 0);
  }
  await pause(2_000);
  const closed = peers.flatMap(({ closeCode }) => (closeCode === undefined ? [] : [closeCode]));
  return {
    facts: [
      tally(answers),
      `closed: ${tally(closed) || "none"}`,
      ...(refused.length > 0 ? [tally(refused)] : []),
    ],
    failures: [],
    release: () => peers.forEach((peer) => peer[Symbol.dispose]()),
  };
}

export const held: Attack = {
  ...{ name: "L5", title: "queued calls and unread uploads on 50 connections", isWatched: true },
  ...{ takes: 40, run },
};
