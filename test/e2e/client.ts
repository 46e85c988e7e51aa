// A client for tests in Node: JSON-RPC over a real WebSocket. It keeps what it heard and awaits what comes, and its
// connection can be cut in every way a network can.

import { once } from "node:events";
import type { Socket } from "node:net";
import { PartySocket } from "partysocket";
import { WebSocket } from "ws";
import type { Endpoint } from "../support/endpoint.ts";
import { PATIENCE_MS } from "../support/patience.ts";

/** As it came off the wire; tests know what they asked for. */
export interface Frame {
  readonly id?: string | number | null;
  readonly method?: string;
  // oxlint-disable-next-line typescript/no-explicit-any -- whatever the hub says
  readonly params?: any;
  readonly room?: string;
  readonly position?: string;
  // oxlint-disable-next-line typescript/no-explicit-any -- whatever the hub answers
  readonly result?: any;
  readonly error?: { code: number; message: string; data: { code: string } };
}

export interface Joining {
  readonly user?: string;
  readonly claims?: Record<string, unknown>;
  readonly since?: string | undefined;
  readonly connection?: string;
  /** Sees every frame, in place of being kept in `heard`. */
  readonly onFrame?: (frame: Frame) => void;
}

/** `reset` is an RST, `fin` an end without a Close frame, `half-open` a peer that reads and says nothing any more. */
export const CUTS = ["reset", "fin", "close", "half-open"] as const;
/** `away`: closed by a page that may be loading again. */
export type Cut = (typeof CUTS)[number] | "away";

interface Wire {
  send(text: string): unknown;
  close(code: number): void;
}

export class Conversation implements Disposable {
  readonly wire: Wire;
  /** In order; frames of several records are taken apart. */
  readonly heard: Frame[] = [];
  pongs = 0;
  readonly #onFrame: ((frame: Frame) => void) | undefined;
  #read = 0;
  #waiting: (() => void)[] = [];
  #calls = new Map<string, PromiseWithResolvers<Frame>>();
  #ids = 0;

  constructor(wire: Wire, onFrame?: (frame: Frame) => void) {
    this.wire = wire;
    this.#onFrame = onFrame;
  }

  take(text: string): void {
    if (text === PING) this.pongs += 1;
    else {
      const value = JSON.parse(text) as Frame | Frame[];
      for (const frame of Array.isArray(value) ? value : [value]) this.#hear(frame);
    }
    for (const wake of this.#waiting.splice(0)) wake();
  }

  #hear(frame: Frame): void {
    const call = frame.method === undefined ? this.#calls.get(String(frame.id)) : undefined;
    if (call) call.resolve(frame);
    if (this.#onFrame) this.#onFrame(frame);
    else this.heard.push(frame);
  }

  /** What was asked and not answered will not be. */
  lost(): void {
    for (const call of this.#calls.values()) call.reject(new Error("The connection was lost."));
    this.#calls.clear();
  }

  send(frame: unknown): void {
    this.wire.send(typeof frame === "string" ? frame : JSON.stringify(frame));
  }

  /** Calls a method and gives its whole response. Rejects when the connection is lost before. */
  async call(method: string, params: unknown = [], more: object = {}): Promise<Frame> {
    const id = `c${++this.#ids}`;
    const call = Promise.withResolvers<Frame>();
    this.#calls.set(id, call);
    this.send({ jsonrpc: "2.0", id, method, params, ...more });
    try {
      return await within(call.promise, `the answer to ${method}`);
    } finally {
      this.#calls.delete(id);
    }
  }

  /** The result of a call that succeeds. */
  async result(method: string, params: unknown = []): Promise<unknown> {
    const { result, error } = await this.call(method, params);
    if (error) throw new Error(`${method}: ${error.data.code}: ${error.message}`);
    return result;
  }

  /** The next frame that matches, from where the last `next` stopped. */
  async next(matches: (frame: Frame) => boolean, what = "a frame"): Promise<Frame> {
    for (;;) {
      while (this.#read < this.heard.length) {
        const frame = this.heard[this.#read++]!;
        if (matches(frame)) return frame;
      }
      const more = new Promise<void>((wake) => this.#waiting.push(wake));
      await within(more, what, () => JSON.stringify(this.heard.slice(-5)));
    }
  }

  /** The next call of the hub on this client. */
  said(method: string): Promise<Frame> {
    return this.next((frame) => frame.method === method, method);
  }

  /** Waits until it holds, looking after every frame. */
  async until(holds: () => boolean, what: string): Promise<void> {
    while (!holds()) {
      const more = new Promise<void>((wake) => this.#waiting.push(wake));
      await within(more, what, () => JSON.stringify(this.heard.slice(-5)));
    }
  }

  messages(method: string): Frame[] {
    return this.heard.filter((frame) => frame.method === method);
  }

  [Symbol.dispose](): void {
    this.wire.close(1000);
  }
}

export const PING = '{"type":6}\u001e';

/** One WebSocket, as bare as it can be. */
export class Client extends Conversation {
  readonly socket: WebSocket;
  readonly closed: Promise<{ code: number; reason: string }>;
  hello!: Frame;
  #tcp: Socket | undefined;

  constructor(url: string, { onFrame }: Joining) {
    const socket = new WebSocket(url, {
      perMessageDeflate: false,
      handshakeTimeout: PATIENCE_MS,
    });
    super(socket, onFrame);
    this.socket = socket;
    socket.once("upgrade", (response) => (this.#tcp = response.socket));
    socket.on("message", (data: Buffer) => this.take(data.toString()));
    this.closed = new Promise((resolve) => {
      socket.on("close", (code, reason) => {
        this.lost();
        resolve({ code, reason: reason.toString() });
      });
    });
  }

  /** Has read `$/connected`. */
  async greeted(): Promise<this> {
    const lost = this.closed.then(() => Promise.reject(new Error("Closed before $/connected.")));
    const first = Promise.race([once(this.socket, "message"), lost]);
    const [hello] = (await within(first, "$/connected")) as [Buffer];
    this.hello = JSON.parse(hello.toString()) as Frame;
    // From here on cuts are errors to ws; whoever cares looks at `closed`.
    this.socket.on("error", () => {});
    return this;
  }

  cut(how: Cut): void {
    if (how === "reset") this.#tcp?.resetAndDestroy();
    else if (how === "fin") this.#tcp?.destroy();
    else if (how === "close") this.socket.close(1000);
    else if (how === "away") this.socket.close(1001);
    else this.socket.pause();
    this.lost();
  }

  override [Symbol.dispose](): void {
    this.socket.terminate();
  }
}

/** Enters a room such as `chat/group:lobby`, and has read `$/connected`. Rejects with the status where refused. */
export async function enter(
  endpoint: Endpoint,
  room: string,
  joining: Joining = {},
): Promise<Client> {
  const { user = "alice", claims, since, connection } = joining;
  const query = new URLSearchParams({ access_token: await endpoint.token(user, claims) });
  if (since !== undefined) query.set("since", since);
  if (connection !== undefined) query.set("connection", connection);
  const url = `ws://127.0.0.1:${endpoint.port}/parties/${room}?${query}`;
  return new Client(url, joining).greeted();
}

export interface PartyOptions {
  readonly user?: string;
  readonly claims?: Record<string, unknown>;
  /** Asked before every connect. */
  readonly since?: () => string | undefined;
}

/** A plain PartySocket from npm in a room, as a browser or a service would have it. */
export class Party extends Conversation {
  readonly party: PartySocket;
  /** The live connection below it, to be cut. */
  inner: WebSocket | undefined;

  constructor(endpoint: Endpoint, hub: string, room: string, options: PartyOptions = {}) {
    const { user = "alice", claims, since } = options;
    const keep = (socket: WebSocket) => (this.inner = socket);
    class Kept extends WebSocket {
      constructor(...args: ConstructorParameters<typeof WebSocket>) {
        super(...args);
        keep(this);
      }
    }
    const party = new PartySocket({
      host: `127.0.0.1:${endpoint.port}`,
      party: hub,
      room,
      query: async () => ({ access_token: await endpoint.token(user, claims), since: since?.() }),
      WebSocket: Kept,
      minReconnectionDelay: 50,
    });
    super(party);
    this.party = party;
    party.addEventListener("message", ({ data }) => this.take(String(data)));
    party.addEventListener("close", () => this.lost());
  }
}

/** For what nothing announces: looks again until it holds. */
export async function eventually(
  holds: () => Promise<boolean>,
  what: string,
  patienceMs = PATIENCE_MS,
): Promise<void> {
  const deadline = performance.now() + patienceMs;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`Waited ${patienceMs} ms until ${what}.`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Fails with what was waited for. */
export async function within<T>(
  work: Promise<T>,
  what: string,
  more: () => string = () => "",
): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => late.reject(new Error(`Waited ${PATIENCE_MS} ms for ${what}. ${more()}`)),
    PATIENCE_MS,
  );
  try {
    return await Promise.race([work, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
