// The attacker's hands: sockets and requests without manners.

import { WebSocket } from "ws";
import type { Server } from "./server.ts";

export const pause = (ms: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, ms));

export interface Frame {
  readonly id?: number | string | null;
  readonly method?: string;
  // oxlint-disable-next-line typescript/no-explicit-any -- as it came off the wire
  readonly params?: any;
  // oxlint-disable-next-line typescript/no-explicit-any -- the same
  readonly result?: any;
  readonly error?: { readonly message: string; readonly data?: { readonly code: string } };
  readonly room?: string;
  readonly position?: string;
}

const PATIENCE_MS = 30_000;

/** A WebSocket that is open: its refusal, if it is refused, is thrown with its status as `status`. */
export class Peer implements Disposable {
  readonly socket: WebSocket;
  readonly frames: Frame[] = [];
  /** Called with each frame in place of keeping it. */
  onFrame: ((frame: Frame) => void) | undefined;
  closeCode: number | undefined;
  readonly #waiting = new Map<string, (frame: Frame | undefined) => void>();
  #ids = 0;

  private constructor(socket: WebSocket) {
    this.socket = socket;
    socket.on("message", (data: Buffer) => this.#take(data.toString()));
    socket.on("close", (code) => {
      this.closeCode = code;
      for (const end of this.#waiting.values()) end(undefined);
    });
  }

  static open(url: string): Promise<Peer> {
    const socket = new WebSocket(url, { perMessageDeflate: false, handshakeTimeout: PATIENCE_MS });
    const peer = new Peer(socket);
    return new Promise((resolve, reject) => {
      socket.once("open", () => resolve(peer));
      socket.on("error", reject);
      socket.once("unexpected-response", (_request, response) => {
        const { statusCode: status = 0, headers } = response;
        response.resume();
        const code = headers["x-dormouse-error"];
        const retryAfter = Number(headers["retry-after"] ?? Number.NaN);
        reject(Object.assign(new Error(`${status} ${code}`), { status, code, retryAfter }));
      });
    });
  }

  static hub(server: Server, user: string, query = ""): Promise<Peer> {
    const token = server.token(user);
    return Peer.open(`ws://127.0.0.1:${server.port}/hubs/hall/rpc?access_token=${token}${query}`);
  }

  static room(server: Server, room: string, user: string, query = ""): Promise<Peer> {
    const token = server.token(user);
    return Peer.open(`ws://127.0.0.1:${server.port}/parties/${room}?access_token=${token}${query}`);
  }

  #take(text: string): void {
    const records = text.split("\u001e").filter((record) => /^[{[]/.test(record));
    for (const frame of records.flatMap((record) => JSON.parse(record) as Frame | Frame[])) {
      if (frame.method === undefined) this.#waiting.get(String(frame.id))?.(frame);
      if (this.onFrame) this.onFrame(frame);
      else this.frames.push(frame);
    }
  }

  send(frame: object | string): void {
    this.socket.send(typeof frame === "string" ? frame : JSON.stringify(frame));
  }

  /** The response, or undefined where the socket ends, or nothing comes in 30 s. */
  call(method: string, params: unknown = [], more: object = {}): Promise<Frame | undefined> {
    const id = `c${++this.#ids}`;
    return new Promise((resolve) => {
      const late = setTimeout(() => done(undefined), PATIENCE_MS);
      const done = (frame: Frame | undefined): void => {
        clearTimeout(late);
        this.#waiting.delete(id);
        resolve(frame);
      };
      this.#waiting.set(id, done);
      if (!this.isOpen) return done(undefined);
      this.send({ jsonrpc: "2.0", id, method, params, ...more });
    });
  }

  get isOpen(): boolean {
    return this.socket.readyState === WebSocket.OPEN;
  }

  [Symbol.dispose](): void {
    this.socket.on("error", () => {});
    this.socket.terminate();
  }
}

/** A request as this user. */
export function request(
  server: Server,
  path: string,
  { user, ...init }: RequestInit & { user: string },
): Promise<Response> {
  const authorization = `Bearer ${server.token(user)}`;
  return fetch(`${server.url}${path}`, {
    ...init,
    headers: { authorization, ...(init.headers as Record<string, string>) },
    signal: AbortSignal.timeout(PATIENCE_MS),
  });
}

export const percentile = (values: readonly number[], share: number): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length * share)] ?? Number.NaN;

/** Runs a step so many times a second, so many times in all; done when all of them are. */
export async function paced(
  perSecond: number,
  count: number,
  step: (n: number) => Promise<void>,
): Promise<void> {
  const began = performance.now();
  const pending: Promise<void>[] = [];
  for (let n = 0; n < count; n += 1) {
    const done = step(n);
    // It is awaited below: until then its failure is not unhandled.
    done.catch(() => {});
    pending.push(done);
    await pause(Math.max(0, began + ((n + 1) * 1_000) / perSecond - performance.now()));
  }
  await Promise.all(pending);
}

/** How often each came, as words: `3 × 429, 1 × 200`. */
export function tally(values: readonly unknown[]): string {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(String(value), (counts.get(String(value)) ?? 0) + 1);
  return [...counts].map(([value, count]) => `${count} × ${value}`).join(", ");
}

/** Waits until it holds; gives the milliseconds, or undefined where it did not in time. */
export async function timeUntil(
  holds: () => Promise<boolean>,
  mostMs: number,
  everyMs = 200,
): Promise<number | undefined> {
  const began = performance.now();
  while (performance.now() - began < mostMs) {
    if (await holds()) return performance.now() - began;
    await pause(everyMs);
  }
  return undefined;
}
