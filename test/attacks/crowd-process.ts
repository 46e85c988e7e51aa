// The bystanders, in a process of their own: members of one room over one relay, and publishers on the room itself.
// Each message has the time at which it was due, so that a server which stalls cannot slow the measurement down
// (docs/design/measurement.md#pm4).

import { WebSocket } from "ws";
import type { Asked, CrowdSetup, Seen } from "./crowd.ts";

interface Window {
  readonly from: number;
  until: number;
  /** When each message of it was due. */
  dues: number[];
  latencies: number[];
  /** The latencies by the second in which the message was due. */
  seconds: number[][];
}

const PATIENCE_MS = 20_000;
const DRAIN_MS = 8_000;

const windowFrom = (from: number): Window => ({
  ...{ from, until: Infinity, dues: [], latencies: [], seconds: [] },
});

let window: Window = windowFrom(0);
/** The window before, while its last messages are on their way. */
let ending: Window | undefined;
let closed = 0;

function open(url: string): Promise<WebSocket> {
  const socket = new WebSocket(url, { perMessageDeflate: false, handshakeTimeout: PATIENCE_MS });
  return new Promise((resolve, reject) => {
    socket.once("message", () => resolve(socket)).once("error", reject);
    socket.once("close", () => (closed += 1));
  });
}

/** A frame on a room's own socket may hold several messages. */
const STAMP = /"said","params":\["(\d+\.\d+)/g;

const isIn = (one: Window, due: number): boolean => due >= one.from && due < one.until;

function take(data: Buffer): void {
  const now = performance.now();
  for (const [, stamp] of data.toString("latin1").matchAll(STAMP))
    for (const one of [ending, window])
      if (one && isIn(one, Number(stamp))) note(one, Number(stamp), now);
}

function note({ from, latencies, seconds }: Window, due: number, now: number): void {
  latencies.push(now - due);
  (seconds[Math.floor((due - from) / 1_000)] ??= []).push(now - due);
}

async function member(url: string, room: string): Promise<WebSocket> {
  const socket = await open(url);
  if (url.includes("/parties/")) return socket.on("message", take);
  const joined = new Promise((resolve) => socket.once("message", resolve));
  socket.send(JSON.stringify({ jsonrpc: "2.0", id: 1, method: "$/join", params: { room } }));
  await joined;
  return socket.on("message", take);
}

function publish(sockets: readonly WebSocket[], { room, perSecond, bytes }: CrowdSetup): void {
  const padding = "x".repeat(bytes);
  const began = performance.now();
  let count = 0;
  setInterval(() => {
    for (; began + (count * 1_000) / perSecond <= performance.now(); count += 1) {
      const due = began + (count * 1_000) / perSecond;
      const params = [room, `${due.toFixed(3)} ${padding}`];
      const call = JSON.stringify({ jsonrpc: "2.0", method: "say", params });
      sockets[count % sockets.length]!.send(call);
      ending?.dues.push(due);
      window.dues.push(due);
    }
  }, 5);
}

async function begin(setup: CrowdSetup): Promise<void> {
  const { members, publishers, room } = setup;
  const waiting = [...members];
  const enter = async (): Promise<void> => {
    for (let url = waiting.pop(); url !== undefined; url = waiting.pop())
      await member(url, `group:${room}`);
  };
  await Promise.all(Array.from({ length: 10 }, enter));
  publish(await Promise.all(publishers.map(open)), setup);
}

/** What was due since the last time, once all of it has come, or will not. */
async function look(members: number): Promise<Seen> {
  const looked = window;
  looked.until = performance.now();
  ending = looked;
  window = windowFrom(looked.until);
  const expected = () => looked.dues.filter((due) => isIn(looked, due)).length * members;
  do await new Promise((resolve) => setTimeout(resolve, 50));
  while (looked.latencies.length < expected() && performance.now() < looked.until + DRAIN_MS);
  ending = undefined;
  const sorted = Float64Array.from(looked.latencies).toSorted();
  const all = expected();
  const at = (share: number) => sorted[Math.floor(all * share)] ?? Infinity;
  const missing = Math.max(0, all - sorted.length);
  const seconds = [...looked.seconds].map((one = []) => Math.round(p99Of(one)));
  return {
    p50: at(0.5),
    p99: at(0.99),
    worst: sorted.at(-1) ?? Infinity,
    missing,
    closed,
    seconds,
  };
}

const p99Of = (latencies: readonly number[]): number =>
  latencies.toSorted((a, b) => a - b)[Math.floor(latencies.length * 0.99)] ?? Infinity;

let members = 0;
process.on("message", async (asked: Asked) => {
  if (asked === "look") return void process.send!(await look(members));
  members = asked.members.length;
  await begin(asked).then(
    () => process.send!("ready"),
    (error: Error) => process.send!(`The bystanders did not get in: ${error.message}`),
  );
});
process.once("disconnect", () => process.exit());
