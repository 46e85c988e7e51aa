// Two stages for one scenario: the engine with its sockets and objects, and a world. A player's transcript has what its
// client gets, in words without ids, times and offsets.

import { vi } from "vitest";
import { world } from "../../../src/dispatch/testing/testing.ts";
import type { Caller, World } from "../../../src/dispatch/testing/testing.ts";
import { Client, enter, token, upgrade, type Frame } from "../../rooms/client.ts";
import { userOf } from "../../support/test-user.ts";
import { ParityHub } from "../../support/parity-hub.ts";

export interface Joining {
  readonly user: string;
  readonly roles?: readonly string[];
  /** Default: the whole hub. */
  readonly room?: string;
  readonly since?: string;
  /** The client's answer to `confirm`: a value, a refusal, or none at all. */
  readonly answer?: boolean | "refuse" | "ignore" | "wrong";
}

export interface Player {
  readonly id: string;
  readonly transcript: readonly string[];
  /** The position of the newest message. */
  readonly position: string;
  /** Gives the result, or `error:` and the code. */
  call(method: string, ...args: unknown[]): Promise<unknown>;
  callWithKey(key: string, method: string, ...args: unknown[]): Promise<unknown>;
  /** The items of a stream, and at its end the code of its error, if any; at most so many. */
  read(method: string, args: readonly unknown[], most?: number): Promise<unknown[]>;
  upload(method: string, items: readonly unknown[]): Promise<unknown>;
  join(room: string, since?: string): Promise<unknown>;
  /** Done when the line is in the transcript. */
  saw(line: string): Promise<void>;
  close(code?: number): Promise<void>;
  /** The close code, once the server has closed the connection. */
  closed(): Promise<number>;
}

export interface Stage {
  connect(joining: Joining): Promise<Player>;
  /** Time passes: a grace of 50 ms, or the wait for a client's answer. */
  pass(): Promise<void>;
}

/**
 * What a frame is in a transcript: a message, a user who comes (`+`), goes (`-`) or shows a state (`~`), an answer
 * (`=`) or an error (`!`). Nothing for `$/connected` and items, and for presence in users' own rooms.
 */
function* linesOf({ method, params, room, result, error }: Frame): Iterable<string> {
  const at = room === undefined ? "" : `@${room}`;
  if (error) yield `!${error.data.code}`;
  else if (typeof result === "string") yield `=${result}`;
  else if (method === "$/presence" && !room?.startsWith("user:")) {
    for (const { userId } of params.joined ?? []) yield `+${userId}${at}`;
    for (const userId of params.left ?? []) yield `-${userId}${at}`;
    for (const { userId, state } of params.tracked ?? [])
      yield `~${userId}=${JSON.stringify(state)}${at}`;
  } else if (method === "$/left") yield `$/left ${params.room}`;
  else if (method && !method.startsWith("$/")) yield `${method}(${params.join()})${at}`;
}

const until = async (holds: () => boolean): Promise<void> =>
  void (await vi.waitUntil(holds, { timeout: 5_000, interval: 5 }));

const sawIn = async (transcript: () => readonly string[], line: string): Promise<void> => {
  await until(() => transcript().includes(line)).catch(() => {
    throw new Error(`No ${line} in ${JSON.stringify(transcript())}`);
  });
};

// In the engine.

let tenants = 0;

/** A tenant of its own: scenarios share neither rooms nor users. */
const engine = (tid = `t${++tenants}`): Stage => ({
  connect: async ({ user, roles = [], room, since, answer }) => {
    const claims = { roles, tid };
    if (room !== undefined)
      return enginePlayer(
        await enter(`parity/${room}`, { user, claims, ...(since && { since }) }),
        answer,
      );
    const access = await token(user, claims);
    const response = await upgrade(`/hubs/parity/rpc?arrays=1&access_token=${access}`);
    if (!response.webSocket)
      throw Object.assign(new Error(), { code: response.headers.get("x-dormouse-error") });
    const client = new Client(response.webSocket);
    client.hello = await client.next((frame) => frame.method === "$/connected");
    return enginePlayer(client, answer);
  },
  pass: async () => {},
});

function enginePlayer(client: Client, answer: Joining["answer"]): Player {
  const call = async (method: string, args: unknown, more: object = {}) => {
    const { result, error } = await client.call(method, args, more);
    return error ? `error:${error.data.code}` : result;
  };
  client.socket.addEventListener("message", () => answerNew(client, answered, answer));
  const answered = new Set<unknown>();
  const transcript = () => client.heard.flatMap((frame) => [...linesOf(frame)]);
  return {
    id: client.hello.params.connectionId,
    get transcript() {
      return transcript();
    },
    get position() {
      return client.heard.findLast(({ position }) => position !== undefined)!.position!;
    },
    call: (method, ...args) => call(method, args),
    callWithKey: (key, method, ...args) => call(method, args, { idempotencyKey: key }),
    read: (method, args, most) => readFrames(client, [method, args], most),
    upload: async (method, items) => {
      const outcome = call(method, [{ $stream: "u1" }]);
      for (const item of items)
        client.send({ jsonrpc: "2.0", method: "$/item", params: { stream: "u1", item } });
      client.send({ jsonrpc: "2.0", method: "$/end", params: { stream: "u1" } });
      return outcome;
    },
    join: async (room, since) => outcomeOf(await call("$/join", { room, since })),
    saw: (line) => sawIn(transcript, line),
    close: async (code = 1000) => client.socket.close(code),
    closed: async () => (await client.closed).code,
  };
}

/** Without position, whose epoch is the engine's own. */
function outcomeOf(joined: unknown): unknown {
  if (typeof joined === "string") return joined;
  const { recovered, replayed } = joined as { recovered: boolean; replayed: number };
  return { recovered, replayed };
}

function answerNew(client: Client, answered: Set<unknown>, answer: Joining["answer"]): void {
  for (const { id, method } of client.heard) {
    if (method !== "confirm" || answered.has(id)) continue;
    answered.add(id);
    if (answer === "ignore") continue;
    const isValue = answer === true || answer === false || answer === "wrong";
    const outcome = isValue ? { result: answer } : { error: { code: -32000, message: "No." } };
    client.send({ jsonrpc: "2.0", id, ...outcome });
  }
}

async function readFrames(
  client: Client,
  [method, args]: readonly [string, readonly unknown[]],
  most = Infinity,
): Promise<unknown[]> {
  const id = `stream-${crypto.randomUUID()}`;
  const items = () =>
    client.heard.flatMap((frame) =>
      frame.method === "$/item" && frame.params.id === id ? [frame.params.item] : [],
    );
  const end = () => client.heard.find((frame) => frame.id === id && !frame.method);
  client.send({ jsonrpc: "2.0", id, method, params: args });
  await until(() => items().length >= most || end() !== undefined);
  if (items().length >= most) {
    client.send({ jsonrpc: "2.0", method: "$/cancelRequest", params: { id } });
    return items().slice(0, most);
  }
  const { error } = end()!;
  return error ? [...items(), `error:${error.data.code}`] : items();
}

// In a world.

type ParityWorld = World<typeof ParityHub>;

function memory(): Stage {
  const parity = world(ParityHub);
  return {
    connect: async (joining) => worldPlayer(parity, await connectTo(parity, joining)),
    pass: () => parity.advance(2_000),
  };
}

const connectTo = (parity: ParityWorld, { user, roles = [], room, since, answer }: Joining) =>
  parity.connect({
    user: userOf({ id: user, roles }),
    ...(room !== undefined && { room }),
    ...(since !== undefined && { since }),
    handlers: { confirm: () => answerOf(answer) },
  });

async function answerOf(answer: Joining["answer"]): Promise<boolean> {
  if (answer === "ignore") await new Promise(() => {});
  if (answer === "refuse" || answer === undefined) throw new Error("No.");
  return answer as boolean;
}

function worldPlayer(parity: ParityWorld, caller: Caller<typeof ParityHub>): Player {
  const codeOf = (error: { code: string }) => `error:${error.code}`;
  const call = (method: string, args: readonly unknown[], options = {}) =>
    caller.call(method, args, options).catch(codeOf);
  const transcript = () => caller.frames.flatMap((frame) => [...linesOf(frame as Frame)]);
  return {
    id: caller.connectionId,
    get transcript() {
      return transcript();
    },
    get position() {
      return caller.received.findLast(({ position }) => position !== undefined)!.position!;
    },
    call: (method, ...args) => call(method, args),
    callWithKey: (idempotencyKey, method, ...args) => call(method, args, { idempotencyKey }),
    read: (method, args, most) => readStream(caller, [method, args], most),
    upload: (method, items) => call(method, [iterated(items)]),
    join: async (room, since) => caller.join(room, since).then(outcomeOf, codeOf),
    async saw(line) {
      await parity.settled();
      if (!transcript().includes(line)) await sawIn(transcript, line);
    },
    close: (code) => caller.close(code),
    closed: async () => {
      await parity.settled();
      return caller.closed!.code;
    },
  };
}

async function* iterated(items: readonly unknown[]) {
  yield* items;
}

async function readStream(
  caller: Caller<typeof ParityHub>,
  [method, args]: readonly [string, readonly unknown[]],
  most = Infinity,
): Promise<unknown[]> {
  const items: unknown[] = [];
  try {
    const streams = caller.stream as unknown as Record<
      string,
      (...values: readonly unknown[]) => AsyncIterable<unknown>
    >;
    for await (const item of streams[method]!(...args)) if (items.push(item) >= most) break;
  } catch (error) {
    items.push(`error:${(error as { code: string }).code}`);
  }
  return items;
}

export const STAGES: readonly [string, () => Stage][] = [
  ["the engine", () => engine()],
  ["a world", memory],
];

/** What hub code said, without the welcome, and without the room. */
export const saidTo = ({ transcript }: { transcript: readonly string[] }): string[] =>
  transcript.flatMap((line) => {
    const [call] = line.split("@");
    return line.startsWith("said(") && !line.startsWith("said(welcome") ? [call!] : [];
  });

export const presenceOf = ({ transcript }: { transcript: readonly string[] }): string[] =>
  transcript.filter((line) => /^[+\-~]/.test(line));
