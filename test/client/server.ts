// The other end for tests of the client: sockets that connect nowhere, and a test that plays the server.

import { onTestFinished, vi } from "vitest";
import { connect, type Connection, type ConnectOptions } from "../../src/client/index.ts";
import type { AnyHub } from "../../src/dispatch/define/hub-definition.ts";
import { PING } from "../../src/model/wire-constants.ts";

/** As a client said it; tests know what they asked for. */
export interface Said {
  readonly id?: string;
  readonly method?: string;
  readonly params?: unknown;
  readonly result?: unknown;
  readonly error?: unknown;
  readonly idempotencyKey?: string;
}

export class FakeSocket extends EventTarget {
  readonly url: URL;
  readonly frames: string[] = [];
  readyState = 0;
  bufferedAmount = 0;
  closedWith: number | undefined;

  constructor(url: string) {
    super();
    this.url = new URL(url);
  }

  get query(): Record<string, string> {
    const { _pk, ...query } = Object.fromEntries(this.url.searchParams);
    return query;
  }

  /** What the client said, frames of several messages taken apart, without its pings. */
  get said(): Said[] {
    return this.frames.filter((frame) => frame !== PING).flatMap((frame) => JSON.parse(frame));
  }

  get pings(): number {
    return this.frames.filter((frame) => frame === PING).length;
  }

  send(frame: string): void {
    this.frames.push(frame);
  }

  close(code = 1000): void {
    this.readyState = 2;
    this.closedWith = code;
  }

  accept(): void {
    this.readyState = 1;
    this.dispatchEvent(new Event("open"));
  }

  /** Accepts, if it has not yet, and says hello. */
  greet(hello: object = {}): void {
    if (this.readyState === 0) this.accept();
    this.say({ method: "$/connected", params: { ...HELLO, ...hello } });
  }

  say(frame: object | string): void {
    const data = typeof frame === "string" ? frame : JSON.stringify(frame);
    this.dispatchEvent(new MessageEvent("message", { data }));
  }

  /** The server closes, or the network does (1006). */
  end(code = 1006, reason = ""): void {
    this.readyState = 3;
    this.dispatchEvent(new CloseEvent("close", { code, reason }));
  }

  /** No connection comes about, or it breaks: engines say both in this way. */
  fail(): void {
    this.readyState = 3;
    this.dispatchEvent(new Event("error"));
    this.dispatchEvent(new CloseEvent("close", { code: 1006 }));
  }
}

export const HELLO = {
  connectionId: "c-1",
  userId: "alice",
  room: "group:lobby",
  position: "e:10",
  recovered: false,
  replayed: 0,
  present: { users: 0, connections: 0, members: [], more: false },
  durability: "logged",
  pingSeconds: 15,
};

/** Half of the longest pause, always: a second at first is half a second. */
export const HALF = 0.5;

export class FakeServer {
  readonly sockets: FakeSocket[] = [];
  readonly WebSocket: unknown;

  constructor() {
    const { sockets } = this;
    this.WebSocket = class extends FakeSocket {
      constructor(url: string) {
        super(url);
        sockets.push(this);
      }
    };
  }

  /** The socket of the newest attempt. */
  get socket(): FakeSocket {
    const socket = this.sockets.at(-1);
    if (!socket) throw new Error("Nobody has tried to connect.");
    return socket;
  }
}

export interface Setting<H extends AnyHub> {
  readonly server: FakeServer;
  readonly client: Connection<H>;
}

/** A client that is making its first attempt, on a fake clock. */
export async function attempting<H extends AnyHub>(
  options: Partial<ConnectOptions<H>> = {},
): Promise<Setting<H>> {
  vi.useFakeTimers();
  const server = new FakeServer();
  const client = connect<H>("wss://host/hubs/test", {
    room: "group:lobby",
    token: "t",
    backoff: { random: () => HALF },
    WebSocket: server.WebSocket,
    ...options,
  } as ConnectOptions<H>);
  onTestFinished(() => {
    client.close();
    const left = vi.getTimerCount();
    vi.useRealTimers();
    if (left > 0) throw new Error(`${left} timers are left after close.`);
  });
  await pass();
  return { server, client };
}

/** A client that is connected, at `e:10` of `group:lobby`. */
export async function connected<H extends AnyHub>(
  options: Partial<ConnectOptions<H>> = {},
  hello: object = {},
): Promise<Setting<H>> {
  const setting = await attempting<H>(options);
  setting.server.socket.greet(hello);
  await pass();
  return setting;
}

/** Time passes, and whatever waited for it happens, with what follows from it at once. */
export async function pass(ms = 0): Promise<void> {
  await vi.advanceTimersByTimeAsync(ms);
  await vi.advanceTimersByTimeAsync(1);
}

/** What becomes of a promise: its value, or the code of its error. */
export const outcomeOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    (value) => ({ value }),
    (error: { code?: string }) => ({ code: error.code ?? String(error) }),
  );

export async function collected<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}
