// L15: a room that is written behind crashes while relays follow it, again and again: what members on a relay hear.

import type { Attack, Outcome, Stage } from "./attack.ts";
import { Peer, pause, timeUntil, type Frame } from "./peer.ts";

const ABORTS = 60;
const MEMBERS = 5;
const ROOM = "crashes";

/** Hears numbers that rise by one, but for a new beginning after `$/reset`. */
class Listener {
  readonly wrong: string[] = [];
  resets = 0;
  last: number | undefined;
  heard = 0;

  take({ method, params, room }: Frame): void {
    if (method === "$/reset") {
      this.resets += 1;
      this.last = undefined;
    }
    if (method !== "said" || room !== `group:${ROOM}`) return;
    const n = Number(params[0]);
    this.heard += 1;
    if (this.last !== undefined && n !== this.last + 1) this.wrong.push(`${n} after ${this.last}`);
    this.last = n;
  }
}

async function run({ server }: Stage): Promise<Outcome> {
  const url = `ws://127.0.0.1:${server.port}/hubs/behind/rpc?access_token=`;
  const listeners: Listener[] = [];
  const joins: string[] = [];
  for (let m = 0; m < MEMBERS; m += 1) {
    const listener = new Listener();
    const peer = await Peer.open(url + server.token(`member-${m}`));
    peer.onFrame = (frame) => listener.take(frame);
    const answer = await peer.call("$/join", { room: `group:${ROOM}` });
    if (!answer?.result) joins.push(answer?.error?.data?.code ?? "unanswered");
    listeners.push(listener);
  }
  const publisher = await Peer.open(url + server.token("publisher"));
  publisher.onFrame = () => {};
  let n = 0;
  const isSaid = async () => {
    const answer = await publisher.call("say", [ROOM, `${n}`]);
    return answer !== undefined && answer.error === undefined;
  };
  for (let abort = 0; abort < ABORTS; abort += 1) {
    for (let i = 0; i < 5; i += 1, n += 1) await isSaid();
    // Before, while or after the second in which rows are written.
    await pause((abort % 6) * 250);
    await server.abort(`behind/group/${ROOM}`);
    // A publication that is refused while the room is down is sent again under its own number.
    await timeUntil(isSaid, 20_000, 50);
    n += 1;
    const all = async () => listeners.every(({ last }) => last === n - 1);
    await timeUntil(all, 5_000, 20);
  }
  const wrong = listeners.flatMap((one, m) => one.wrong.map((what) => `member ${m}: ${what}`));
  const behind = listeners.filter(({ last }) => last !== n - 1).length;
  const heard = listeners.reduce((sum, one) => sum + one.heard, 0);
  return {
    facts: [
      `${ABORTS} aborts, ${heard} deliveries, ${listeners[0]!.resets} resets each, ${wrong.length} wrong`,
    ],
    failures: [
      ...(wrong.length > 0 ? [`${wrong.length} wrong without a reset, first ${wrong[0]}`] : []),
      ...(behind > 0 ? [`${behind} members did not hear the last`] : []),
      ...joins.map((code) => `a join failed with ${code}`),
    ],
  };
}

export const behind: Attack = {
  ...{
    name: "L15",
    title: "a room written behind crashes 60 times",
    isWatched: false,
    takes: 90,
    run,
  },
};
