// The flooder of R9, in a process of its own: the process that measures others' calls has nothing else to do. Its
// arguments are a URL of a hub's socket, calls a second, and seconds; it prints its answers and closes as JSON.

import { Peer, pause } from "./peer.ts";

async function flood(url: string, perSecond: number, until: number) {
  const [codes, closes]: [Map<string, number>, number[]] = [new Map(), []];
  const count = (code: string) => codes.set(code, (codes.get(code) ?? 0) + 1);
  while (performance.now() < until) {
    // Comes back whenever it is closed.
    const peer = await Peer.open(url).catch(() => undefined);
    if (!peer) await pause(500);
    else {
      peer.onFrame = ({ id, error }) => id && count(error?.data?.code ?? "answered");
      const began = performance.now();
      for (let n = 0; peer.isOpen && performance.now() < until; n += 1) {
        await pause(Math.max(0, began + (n * 1_000) / perSecond - performance.now()));
        peer.send({ jsonrpc: "2.0", id: n + 1, method: "take", params: [n] });
      }
      if (peer.closeCode !== undefined) closes.push(peer.closeCode);
      peer[Symbol.dispose]();
    }
  }
  return { codes: Object.fromEntries(codes), closes };
}

const [url = "", perSecond, seconds] = process.argv.slice(2);
const until = performance.now() + Number(seconds) * 1_000;
process.stdout.write(JSON.stringify(await flood(url, Number(perSecond), until)));
