// Clients that wait: readers of rooms' events, SignalR's pollers and SignalR's readers of events, by hand.

import { exports } from "cloudflare:workers";
import { token as tokenOf } from "../rooms/client.ts";
import { negotiate } from "./client.ts";

const RS = "\u001e";

export interface Idle {
  /** Resolves once this has been said. */
  hears(word: string): Promise<void>;
  leave(): Promise<unknown>;
}

export interface Stream extends Idle {
  /** From now on: resolves once the worker has kept the stream alive so many times. */
  keptAlive(): (times: number) => Promise<void>;
}

/** So many of them, twenty at once. */
export async function abreast<T>(count: number, make: (i: number) => Promise<T>): Promise<T[]> {
  const made: T[] = [];
  while (made.length < count)
    made.push(...(await Promise.all(Array.from({ length: 20 }, (_, i) => make(made.length + i)))));
  return made;
}

const ask = async (user: string, path: string, init: RequestInit = {}): Promise<Response> => {
  const headers = { authorization: `Bearer ${await tokenOf(user)}`, ...init.headers };
  return exports.default.fetch(`https://edge.example${path}`, { ...init, headers });
};

const EVENTS = { headers: { accept: "text/event-stream" } };

/** `alive` is what keeps it alive. */
function reading({ body, status }: Response, alive: RegExp): Stream {
  if (status !== 200) throw new Error(`Refused: ${status}`);
  const reader = body!.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  let waiting: (() => void)[] = [];
  void (async () => {
    for (let read = await reader.read(); !read.done; read = await reader.read()) {
      text += read.value;
      for (const wake of waiting.splice(0)) wake();
    }
  })().catch(() => {});
  const until = async (holds: () => boolean) => {
    while (!holds()) await new Promise<void>((wake) => waiting.push(wake));
  };
  return {
    hears: (word) => until(() => text.includes(word)),
    keptAlive() {
      const from = text.length;
      return (times) => until(() => text.slice(from).split(alive).length > times);
    },
    leave: () => reader.cancel(),
  };
}

/** Of one room, by its own URL. */
export async function events(hub: string, group: string, user: string): Promise<Stream> {
  const stream = reading(await ask(user, `/hubs/${hub}/groups/${group}`, EVENTS), /^:$/m);
  await stream.hears("event: connected");
  return stream;
}

/** What a client of SignalR's sends first: its handshake, and that it joins. */
async function seated(hub: string, user: string) {
  const { connectionToken } = await negotiate(hub, { user });
  const path = `/hubs/${hub}?id=${encodeURIComponent(connectionToken)}`;
  const post = async (message: object) =>
    ask(user, path, { method: "POST", body: JSON.stringify(message) + RS });
  return {
    get: (init?: RequestInit) => ask(user, path, init),
    shake: () => post({ protocol: "json", version: 1 }),
    join: (group: string) =>
      post({ type: 1, invocationId: "j", target: "Join", arguments: [group] }),
    end: () => ask(user, path, { method: "DELETE" }),
  };
}

export async function signalrEvents(hub: string, group: string, user: string): Promise<Stream> {
  const seat = await seated(hub, user);
  const stream = reading(await seat.get(EVENTS), /data: \{"type":6\}/);
  await seat.shake();
  await stream.hears(`{}${RS}`);
  await seat.join(group);
  await stream.hears('"invocationId":"j"');
  return stream;
}

/** Has a poll hanging when it is given back. */
export async function poller(hub: string, group: string, user: string): Promise<Idle> {
  const seat = await seated(hub, user);
  const poll = async () => (await (await seat.get()).blob()).text();
  const polledFor = async (word: string) => {
    let all = "";
    while (!all.includes(word)) all += await poll();
  };
  await poll();
  await seat.shake();
  await polledFor("{}");
  await seat.join(group);
  await polledFor('"invocationId":"j"');
  const hanging = polledFor("good morning");
  return { hears: () => hanging, leave: () => seat.end() };
}
