// A fake server for tests of the client: sockets without a network, whose server side the test controls.

import { onTestFinished, vi } from "vitest";
import {
  connect,
  type Connection,
  type ConnectOptions,
  type WebSocketClass,
} from "../../src/client/index.ts";
import type { Refused } from "../../src/client/model/refusal.ts";
import type { AnyHub } from "../../src/dispatch/define/hub-definition.ts";
import { PING } from "../../src/model/wire-constants.ts";

/** A JSON-RPC message of the client. */
export interface SentMessage {
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
    const { _pk, dormouse: _version, ...query } = Object.fromEntries(this.url.searchParams);
    return query;
  }

  /** All messages of the client in order, without pings. Frames of several messages are split. */
  get sentMessages(): SentMessage[] {
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

  /** Sends the greeting. Accepts the connection first, if that has not happened yet. */
  greet(hello: object = {}): void {
    if (this.readyState === 0) this.accept();
    this.deliver({ method: "$/connected", params: { ...HELLO, ...hello } });
  }

  deliver(frame: object | string): void {
    const data = typeof frame === "string" ? frame : JSON.stringify(frame);
    // No MessageEvent: React Native has none.
    this.dispatchEvent(Object.assign(new Event("message"), { data }));
  }

  /** Accepts, says why the client is not admitted, and closes, as the server does. */
  refuse(refused: Partial<Refused> & Pick<Refused, "status" | "code">): void {
    this.accept();
    const params = { message: "As the test asks.", ...refused };
    this.deliver({ method: "$/refused", params });
    this.end(4520, `${refused.code}: ${params.message}`);
  }

  /** The connection closes: by the server, or by the network (1006). */
  end(code = 1006, reason = ""): void {
    this.readyState = 3;
    this.dispatchEvent(new CloseEvent("close", { code, reason }));
  }

  /** The handshake fails, or the connection breaks. WebSocket implementations emit the same events for both. */
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

/** The random value of the backoff, so that each pause is half of its maximum: 500 ms at first. */
export const HALF = 0.5;

export class FakeServer {
  readonly sockets: FakeSocket[] = [];
  readonly WebSocket: WebSocketClass;

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

/** A client during its first attempt, on a fake clock. Fails the test if timers are left after `close`. */
export async function connectingClient<H extends AnyHub>(
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
  await advance();
  return { server, client };
}

/** A connected client, whose position in `group:lobby` is `e:10`. */
export async function connectedClient<H extends AnyHub>(
  options: Partial<ConnectOptions<H>> = {},
  hello: object = {},
): Promise<Setting<H>> {
  const setting = await connectingClient<H>(options);
  setting.server.socket.greet(hello);
  await advance();
  return setting;
}

/** A fake clock for tests without `connectedClient`, which has one. */
export function fakeClock(): void {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
}

/** Advances the clock, and runs the timers that are due and their immediate consequences. */
export async function advance(ms = 0): Promise<void> {
  await vi.advanceTimersByTimeAsync(ms);
  await vi.advanceTimersByTimeAsync(1);
}

/** The value of a promise, or the code of its error. Never rejects. */
export const outcomeOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    (value) => ({ value }),
    (error: { code?: string }) => ({ code: error.code ?? String(error) }),
  );

export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}
