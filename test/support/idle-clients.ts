// Clients that wait: readers of rooms' events, SignalR's pollers and SignalR's readers of events, by hand.

/** Asks the endpoint as this user. */
export type Ask = (user: string, path: string, init?: RequestInit) => Promise<Response>;

/** Where a client waits. */
export interface Waiting {
  readonly ask: Ask;
  readonly hub: string;
  readonly group: string;
  readonly user: string;
}

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

/** What census-worker.ts tells: how often each object was made, by name, and how many timers the worker has going. */
export interface Census {
  readonly rooms: Readonly<Record<string, number>>;
  readonly relays: Readonly<Record<string, number>>;
  readonly intervals: number;
}

/** So many of them, forty at once. */
export async function abreast<T>(
  count: number,
  waiting: (i: number) => Waiting,
  come: (waiting: Waiting) => Promise<T>,
): Promise<T[]> {
  const made: T[] = [];
  while (made.length < count) {
    const next = Array.from({ length: 40 }, (_, i) => come(waiting(made.length + i)));
    // oxlint-disable-next-line no-await-in-loop -- more at once would only wait longer
    made.push(...(await Promise.all(next)));
  }
  return made;
}

const POST = { method: "POST" };
const EVENTS = { headers: { accept: "text/event-stream" } };

/** `alive` is what keeps it alive. */
function reading({ body, status }: Response, alive: RegExp): Stream {
  if (status !== 200) throw new Error(`Refused: ${status}`);
  const reader = body!.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  const waiting: (() => void)[] = [];
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
export async function events({ ask, hub, group, user }: Waiting): Promise<Stream> {
  const stream = reading(await ask(user, `/hubs/${hub}/groups/${group}`, EVENTS), /^:$/m);
  await stream.hears("event: connected");
  return stream;
}

/** What a client of SignalR's sends first: its handshake, and that it joins. */
async function seated({ ask, hub, group, user }: Waiting) {
  const negotiated = await ask(user, `/hubs/${hub}/negotiate?negotiateVersion=1`, POST);
  const { connectionToken } = (await negotiated.json()) as { connectionToken: string };
  const path = `/hubs/${hub}?id=${encodeURIComponent(connectionToken)}`;
  const post = async (message: object) =>
    ask(user, path, { ...POST, body: JSON.stringify(message) + RS });
  return {
    get: (init?: RequestInit) => ask(user, path, init),
    shake: () => post({ protocol: "json", version: 1 }),
    join: () => post({ type: 1, invocationId: "j", target: "Join", arguments: [group] }),
    end: () => ask(user, path, { method: "DELETE" }),
  };
}

export async function signalrEvents(waiting: Waiting): Promise<Stream> {
  const seat = await seated(waiting);
  const stream = reading(await seat.get(EVENTS), /data: \{"type":6\}/);
  await seat.shake();
  await stream.hears(`{}${RS}`);
  await seat.join();
  await stream.hears('"invocationId":"j"');
  return stream;
}

/** Has a poll hanging when it is given back. */
export async function poller(waiting: Waiting): Promise<Idle> {
  const seat = await seated(waiting);
  const poll = async () => (await (await seat.get()).blob()).text();
  const polledFor = async (word: string) => {
    let all = "";
    while (!all.includes(word)) all += await poll();
  };
  await poll();
  await seat.shake();
  await polledFor("{}");
  await seat.join();
  await polledFor('"invocationId":"j"');
  const hanging = polledFor("good morning");
  return { hears: () => hanging, leave: () => seat.end() };
}
