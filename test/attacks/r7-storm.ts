// R7: 2,000 clients in 50 rooms are cut at once and come back, with the delays of our client (full jitter) and with
// SignalR's own (0, 2, 10, 30 s, no jitter); and 5,000 clients of rooms.

import type { Attack, Outcome, Stage } from "./attack.ts";
import { Peer, pause, percentile, request, tally, type Frame } from "./peer.ts";
import type { Server } from "./server.ts";

const CLIENTS = 2_000;
const MANY = 5_000;
const ROOMS = 50;
const REPEATS = 3;
const BOUND_MS = 5_000;
const RS = "\u001e";

interface Refusal extends Error {
  readonly status?: number;
  readonly retryAfter?: number;
}

/** Milliseconds until the next attempt, after so many failures. */
type Delays = (failures: number) => number;
const FULL_JITTER: Delays = (failures) => Math.random() * Math.min(30_000, 1_000 * 2 ** failures);
const SIGNALR_DELAYS: Delays = (failures) => [0, 2_000, 10_000, 30_000][failures] ?? 30_000;

/** The actions of a kind of client, and the messages that it has received. */
abstract class Storming {
  readonly wrong: string[] = [];
  readonly refusals: string[] = [];
  peer: Peer | undefined;
  readonly server: Server;
  readonly n: number;

  constructor(server: Server, n: number) {
    [this.server, this.n] = [server, n];
  }

  abstract connect(): Promise<Peer>;

  /** Milliseconds until it is back in its room. */
  async back(delays: Delays): Promise<number> {
    const began = performance.now();
    for (let failures = 0; ; failures += 1) {
      await pause(delays(failures));
      try {
        this.peer = await this.connect();
        return performance.now() - began;
      } catch (error) {
        const { status, retryAfter, message } = error as Refusal;
        this.refusals.push(message);
        if (status === undefined) this.wrong.push(message);
        else if (Number.isNaN(retryAfter)) this.wrong.push(`${message} without retry-after`);
        if (failures > 8) throw error;
        await pause((retryAfter || 0) * 1_000);
      }
    }
  }

  cut(): void {
    this.peer?.[Symbol.dispose]();
  }
}

class RoomClient extends Storming {
  #epoch = "";
  #offset = -1;

  async connect(): Promise<Peer> {
    const since = this.#offset < 0 ? "" : `&since=${this.#epoch}:${this.#offset}`;
    const room = `hall/group:storm-${this.n % ROOMS}`;
    const peer = await Peer.room(this.server, room, `user-${this.n}`, since);
    return new Promise((resolve, reject) => {
      peer.onFrame = (frame) => (
        this.#take(frame),
        frame.method === "$/connected" && resolve(peer)
      );
      peer.socket.once("close", () => reject(new Error("closed before $/connected")));
      for (const frame of peer.frames.splice(0)) peer.onFrame(frame);
    });
  }

  #take({ method, params, position }: Frame): void {
    if (method === "$/connected") {
      if (this.#offset < 0) [this.#epoch, this.#offset] = split(params.position);
      else if (!params.recovered) this.wrong.push("not recovered");
    } else if (position !== undefined) {
      const [, offset] = split(position);
      if (offset !== this.#offset + 1) this.wrong.push(`offset ${offset} after ${this.#offset}`);
      this.#offset = offset;
    }
  }
}

const split = (position: string): [epoch: string, offset: number] => {
  const [epoch = "", offset = ""] = position.split(":");
  return [epoch, Number(offset)];
};

class SignalrClient extends Storming {
  async connect(): Promise<Peer> {
    const user = `user-${this.n}`;
    const path = "/hubs/hall/negotiate?negotiateVersion=1";
    const response = await request(this.server, path, { user, method: "POST" });
    if (!response.ok) {
      const retryAfter = Number(response.headers.get("retry-after") ?? Number.NaN);
      throw Object.assign(new Error(`negotiate ${response.status}`), {
        status: response.status,
        retryAfter,
      });
    }
    const { connectionToken } = (await response.json()) as { connectionToken: string };
    const query = `id=${encodeURIComponent(connectionToken)}&access_token=${this.server.token(user)}`;
    const peer = await Peer.open(`ws://127.0.0.1:${this.server.port}/hubs/hall?${query}`);
    const joined = new Promise<Peer>((resolve, reject) => {
      peer.socket.on("message", (data: Buffer) => {
        if (data.includes('"invocationId":"j"')) resolve(peer);
      });
      peer.socket.once("close", () => reject(new Error("closed before it had joined")));
    });
    peer.onFrame = () => {};
    peer.send(`{"protocol":"json","version":1}${RS}`);
    const call = {
      type: 1,
      invocationId: "j",
      target: "join",
      arguments: [`storm-${this.n % ROOMS}`],
    };
    peer.send(JSON.stringify(call) + RS);
    return joined;
  }
}

async function storm(clients: readonly Storming[], delays: Delays): Promise<string> {
  const took: number[] = [];
  for (let repeat = 0; repeat < REPEATS; repeat += 1) {
    for (const client of clients) client.cut();
    took.push(...(await Promise.all(clients.map((client) => client.back(delays)))));
    await pause(1_000);
  }
  const seconds = (share: number) => (percentile(took, share) / 1_000).toFixed(1);
  return `p50 ${seconds(0.5)} s, p99 ${seconds(0.99)} s, worst ${(Math.max(...took) / 1_000).toFixed(1)} s`;
}

/** One message a second in each room. */
async function talk(server: Server): Promise<Disposable> {
  const peers = await Promise.all(
    Array.from({ length: ROOMS }, (_, room) =>
      Peer.room(server, `hall/group:storm-${room}`, `talker-${room}`),
    ),
  );
  for (const peer of peers) peer.onFrame = () => {};
  const talking = setInterval(() => {
    for (const [room, peer] of peers.entries())
      peer.send({ jsonrpc: "2.0", method: "say", params: [`storm-${room}`, "hello"] });
  }, 1_000);
  return {
    [Symbol.dispose]() {
      clearInterval(talking);
      for (const peer of peers) peer[Symbol.dispose]();
    },
  };
}

interface Kind {
  readonly count: number;
  readonly delays: Delays;
  make(n: number): Storming;
}

async function stormOf(
  server: Server,
  { count, delays, make }: Kind,
): Promise<{ words: string; p99: number; wrong: string[] }> {
  const clients = Array.from({ length: count }, (_, n) => make(n));
  const waiting = [...clients];
  const enter = async (): Promise<void> => {
    for (let one = waiting.pop(); one; one = waiting.pop()) one.peer = await one.connect();
  };
  await Promise.all(Array.from({ length: 20 }, enter));
  using scope = new DisposableStack();
  scope.use(await talk(server));
  const words = await storm(clients, delays);
  for (const client of clients) client.cut();
  const refusals = tally(clients.flatMap((client) => client.refusals));
  const wrong = [...new Set(clients.flatMap((client) => client.wrong))].slice(0, 5);
  const p99 = Number(/p99 ([\d.]+)/.exec(words)?.[1]) * 1_000;
  return { words: refusals === "" ? words : `${words} (${refusals})`, p99, wrong };
}

async function run({ server }: Stage): Promise<Outcome> {
  const room = (n: number) => new RoomClient(server, n);
  const signalR = (n: number) => new SignalrClient(server, n);
  const kinds: Readonly<Record<string, Kind>> = {
    "rooms, full jitter": { count: CLIENTS, delays: FULL_JITTER, make: room },
    "SignalR, 0/2/10/30 s": { count: CLIENTS, delays: SIGNALR_DELAYS, make: signalR },
    "5,000 in rooms, full jitter": { count: MANY, delays: FULL_JITTER, make: room },
  };
  const [facts, failures]: [string[], string[]] = [[], []];
  for (const [name, one] of Object.entries(kinds)) {
    const { words, p99, wrong } = await stormOf(server, one);
    facts.push(`${name}: ${words}`);
    failures.push(...wrong.map((what) => `${name}: ${what}`));
    if (!(p99 <= BOUND_MS)) failures.push(`${name}: p99 above 5 s`);
  }
  return { facts, failures };
}

export const storms: Attack = {
  ...{ name: "R7", title: "2,000 clients in 50 rooms cut at once, three times", isWatched: false },
  ...{ takes: 120, run },
};
