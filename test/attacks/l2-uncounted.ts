// L2: floods of messages that are no calls, in both protocols, from one user who comes back whenever it is closed.

import type { Attack, Outcome, Stage } from "./attack.ts";
import { Peer, pause, request, tally, timeUntil } from "./peer.ts";

const RS = "\u001e";

/** Of JSON-RPC; an array of a hundred is one frame. */
const JSON_RPC: Readonly<Record<string, object | string>> = {
  "$/cancelRequest": { jsonrpc: "2.0", method: "$/cancelRequest", params: { id: 1 } },
  "$/item": { jsonrpc: "2.0", method: "$/item", params: { stream: "s", item: 1 } },
  "$/end": { jsonrpc: "2.0", method: "$/end", params: { stream: "s" } },
  response: { jsonrpc: "2.0", id: 1, result: 1 },
  // Not the engine's own text, so it wakes the object.
  ping: `{"type":6 }${RS}`,
};

/** Of SignalR: item, completion, cancellation, ping, acknowledgement. */
const SIGNALR_FRAMES: Readonly<Record<string, string>> = {
  "type 2": `{"type":2,"invocationId":"s","item":1}${RS}`,
  "type 3": `{"type":3,"invocationId":"s","result":1}${RS}`,
  "type 5": `{"type":5,"invocationId":"s"}${RS}`,
  "type 6": `{"type":6,"x":1}${RS}`,
  "type 8": `{"type":8,"sequenceId":1}${RS}`,
};

/** Messages of a user at once, by default. */
export const BURST = 12_000;

/** Bytes that wait in the attacker's own socket before it stops for a moment. */
const AHEAD_BYTES = 256 * 1024;

/** Sends until it is closed or the time is over; gives how many messages went. */
async function flood(peer: Peer, frame: string, until: number): Promise<number> {
  let sent = 0;
  while (peer.isOpen && performance.now() < until) {
    for (let i = 0; i < 100 && peer.socket.bufferedAmount < AHEAD_BYTES; i += 1, sent += 1)
      peer.send(frame);
    await pause(1);
  }
  return sent;
}

async function signalR({ server }: Stage): Promise<Peer> {
  const path = "/hubs/hall/negotiate?negotiateVersion=1";
  const response = await request(server, path, { user: "mallory", method: "POST" });
  const { connectionToken } = (await response.json()) as { connectionToken: string };
  const id = encodeURIComponent(connectionToken);
  const token = server.token("mallory");
  const peer = await Peer.open(
    `ws://127.0.0.1:${server.port}/hubs/hall?id=${id}&access_token=${token}`,
  );
  peer.onFrame = () => {};
  peer.send(`{"protocol":"json","version":1}${RS}`);
  return peer;
}

/** A connection that floods with one kind of message. */
interface Kind {
  readonly kind: string;
  readonly frame: string;
  open(): Promise<Peer>;
}

const FRAMES: readonly (readonly [kind: string, frame: string])[] = [
  ...Object.entries(JSON_RPC).map(
    ([kind, message]) =>
      [kind, typeof message === "string" ? message : JSON.stringify(message)] as const,
  ),
  ...Object.entries(SIGNALR_FRAMES),
];

/**
 * All kinds at once; each comes back whenever it is closed. All together have a burst of 12,000, and 5,000 a second.
 */
export async function floodAll(
  { seconds }: Stage,
  openFor: (kind: string) => Kind["open"],
): Promise<Outcome> {
  const until = performance.now() + seconds * 1_000;
  const ended: string[] = [];
  const failures: string[] = [];
  let sent = 0;
  const attack = async ({ kind, frame, open }: Kind): Promise<void> => {
    let ends = 0;
    let mine = 0;
    while (performance.now() < until) {
      const peer = await open().catch(() => undefined);
      if (!peer) await pause(500);
      else mine += await flood(peer, frame, until);
      // The Close frame has come, and its event follows.
      if (peer && !peer.isOpen) await timeUntil(async () => peer.closeCode !== undefined, 1_000, 5);
      if (peer?.closeCode !== undefined) ended.push(`${(ends += 1) && peer.closeCode}`);
      peer?.[Symbol.dispose]();
    }
    sent += mine;
    if (ends === 0 && mine > 2 * BURST + 5_000 * seconds) failures.push(`${kind} is never closed`);
  };
  await Promise.all(FRAMES.map(([kind, frame]) => attack({ kind, frame, open: openFor(kind) })));
  return { facts: [`${sent} messages`, tally(ended) || "never closed"], failures };
}

const run = (stage: Stage): Promise<Outcome> =>
  floodAll(stage, (kind) =>
    kind in JSON_RPC ? () => Peer.hub(stage.server, "mallory") : () => signalR(stage),
  );

export const uncounted: Attack = {
  ...{ name: "L2", title: "messages that are no calls, ten kinds at once", isWatched: true },
  ...{ takes: 35, run },
};
