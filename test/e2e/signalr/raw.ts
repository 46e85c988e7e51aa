// A hub's WebSocket without a library: what no stock client would send, and what came back to it.

import { once } from "node:events";
import { WebSocket } from "ws";
import type { Endpoint } from "../../support/endpoint.ts";
import { within } from "../client.ts";

const END = "\u001e";

export interface RawOptions {
  readonly hub?: string;
  readonly user?: string;
  readonly claims?: Record<string, unknown>;
  /** What negotiation gave. */
  readonly id?: string;
}

export const message = (value: unknown): string => `${JSON.stringify(value)}${END}`;

export const HANDSHAKE = message({ protocol: "json", version: 1 });
export const PING = message({ type: 6 });

export const call = (invocationId: string, target: string, ...args: unknown[]) => ({
  ...{ type: 1, invocationId, target },
  arguments: args,
});

/** Takes frames apart. */
type Reader = (data: Buffer, isBinary: boolean) => unknown[];

const records = (): Reader => {
  let rest = "";
  return (data) => {
    const parts = (rest + data.toString()).split(END);
    rest = parts.pop()!;
    return parts.map((part) => JSON.parse(part) as unknown);
  };
};

export class RawClient implements Disposable {
  readonly socket: WebSocket;
  /** Messages, in order. */
  readonly heard: unknown[] = [];
  readonly closed: Promise<number>;
  readonly #reader: Reader;
  #read = 0;
  #waiting: (() => void)[] = [];

  constructor(socket: WebSocket, reader: Reader = records()) {
    this.socket = socket;
    this.#reader = reader;
    socket.on("message", (data: Buffer, isBinary) => this.#hear(data, isBinary));
    socket.on("error", () => {}); // Whoever cares looks at `closed`.
    this.closed = new Promise((resolve) => {
      socket.on("close", (code) => {
        resolve(code);
        this.#wake();
      });
    });
  }

  #hear(data: Buffer, isBinary: boolean): void {
    this.heard.push(...this.#reader(data, isBinary));
    this.#wake();
  }

  #wake(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }

  send(...messages: unknown[]): void {
    this.socket.send(messages.map(message).join(""));
  }

  sendBytes(bytes: string | Uint8Array): void {
    this.socket.send(bytes);
  }

  /** The next message, pings included. */
  async next(): Promise<unknown> {
    while (this.#read === this.heard.length) {
      if (this.socket.readyState === WebSocket.CLOSED) throw new Error("The socket is closed.");
      const more = new Promise<void>((wake) => this.#waiting.push(wake));
      await within(more, "a message");
    }
    return this.heard[this.#read++];
  }

  /** What comes until the socket closes, and its code. */
  async rest(): Promise<{ readonly said: unknown[]; readonly code: number }> {
    const code = await within(this.closed, "the socket's close");
    return { said: this.heard.slice(this.#read), code };
  }

  async shakeHands(): Promise<this> {
    this.sendBytes(HANDSHAKE);
    const answer = JSON.stringify(await this.next());
    if (answer !== "{}") throw new Error(`The handshake was answered with ${answer}.`);
    return this;
  }

  [Symbol.dispose](): void {
    this.socket.terminate();
  }
}

async function address(endpoint: Endpoint, options: RawOptions): Promise<URL> {
  const { hub = "signalr", user = "alice", claims, id } = options;
  const url = new URL(`ws://127.0.0.1:${endpoint.port}/hubs/${hub}`);
  if (id !== undefined) url.searchParams.set("id", id);
  url.searchParams.set("access_token", await endpoint.token(user, claims));
  return url;
}

/** An open socket before its handshake. */
export async function open(
  endpoint: Endpoint,
  options: RawOptions = {},
  reader?: Reader,
): Promise<RawClient> {
  const client = new RawClient(new WebSocket(await address(endpoint, options)), reader);
  await within(once(client.socket, "open"), "an upgrade");
  return client;
}

export const greeted = async (endpoint: Endpoint, options: RawOptions = {}): Promise<RawClient> =>
  (await open(endpoint, options)).shakeHands();

/** What an upgrade that is refused is answered with. */
export async function refused(
  endpoint: Endpoint,
  options: RawOptions,
): Promise<{ readonly status: number; readonly text: string }> {
  const socket = new WebSocket(await address(endpoint, options));
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; text: string }>();
  socket.on("error", () => {}); // Told by the answer.
  socket.once("open", () => {
    socket.terminate();
    reject(new Error("The upgrade was accepted."));
  });
  socket.once("unexpected-response", (_request, response) => {
    let text = "";
    response.setEncoding("utf8").on("data", (part: string) => (text += part));
    response.once("end", () => resolve({ status: response.statusCode ?? 0, text }));
  });
  return within(promise, "a refusal");
}
