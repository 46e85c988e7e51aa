// S11: 500 SignalR sockets without a handshake, and 500 that send one byte of it each second: closed at 15 s.

import type { Attack, Outcome, Stage } from "./attack.ts";
import { Peer, pause, percentile, request } from "./peer.ts";
import type { Server } from "./server.ts";

const SOCKETS = 500;
/** `signalR.handshakeSeconds`, and what a timer may be late. */
const [LEAST_MS, MOST_MS] = [14_000, 17_000];
const HANDSHAKE = '{"protocol":"json","version":1}\u001e';

async function open(server: Server, user: string): Promise<Peer> {
  const path = "/hubs/hall/negotiate?negotiateVersion=1";
  const response = await request(server, path, { user, method: "POST" });
  const { connectionToken } = (await response.json()) as { connectionToken: string };
  const query = `id=${encodeURIComponent(connectionToken)}&access_token=${server.token(user)}`;
  return Peer.open(`ws://127.0.0.1:${server.port}/hubs/hall?${query}`);
}

/**
 * Milliseconds until its answer, which comes with the Close frame. The end of the TCP connection is no measure: workerd
 * leaves that of a client that has sent nothing to the client (PL35).
 */
async function outlast(server: Server, n: number): Promise<number | undefined> {
  const peer = await open(server, `slow-${n % 50}`);
  const began = performance.now();
  const isSlow = n % 2 === 0;
  const ended = new Promise<number>((resolve) => {
    peer.onFrame = () => resolve(performance.now() - began);
    peer.socket.once("close", () => resolve(performance.now() - began));
  });
  const bytes = isSlow ? setInterval(() => drip(peer, began), 1_000) : undefined;
  const took = await Promise.race([ended, pause(40_000).then(() => undefined)]);
  clearInterval(bytes);
  // The Close frame is behind the answer.
  for (let waits = 0; peer.isOpen && waits < 20; waits += 1) await pause(50);
  const isClosed = !peer.isOpen;
  peer[Symbol.dispose]();
  return isClosed ? took : undefined;
}

const drip = (peer: Peer, began: number): void => {
  const at = Math.floor((performance.now() - began) / 1_000);
  if (peer.isOpen && at < HANDSHAKE.length - 1) peer.send(HANDSHAKE[at]!);
};

async function run({ server }: Stage): Promise<Outcome> {
  const all: Promise<number | undefined>[] = [];
  for (let n = 0; n < 2 * SOCKETS; n += 1) {
    all.push(outlast(server, n));
    if (n % 10 === 9) await pause(20);
  }
  const took = await Promise.all(all);
  const ended = took.filter((ms) => ms !== undefined);
  const seconds = (share: number) => (percentile(ended, share) / 1_000).toFixed(1);
  const outside = ended.filter((ms) => ms < LEAST_MS || ms > MOST_MS).length;
  return {
    facts: [
      `${ended.length} of ${2 * SOCKETS} closed, p50 ${seconds(0.5)} s, p99 ${seconds(0.99)} s`,
    ],
    failures: [
      ...(ended.length === 2 * SOCKETS ? [] : ["some are never closed"]),
      ...(outside === 0 ? [] : [`${outside} not between 14 and 17 s`]),
    ],
  };
}

export const slowHandshakes: Attack = {
  ...{ name: "S11", title: "1,000 handshakes that do not come, or byte by byte", isWatched: true },
  ...{ takes: 35, run },
};
