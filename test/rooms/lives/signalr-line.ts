// The ways of a SignalR client to the server: a WebSocket, Server-Sent Events or long polling, with text.

import { exports } from "cloudflare:workers";
import { upgrade } from "../client.ts";
import { EventStream } from "./event-stream.ts";
import { Wire, type Line } from "./subscriber.ts";

export interface SignalRLine extends Line {
  send(text: string): void;
}

/** Where a connection's transport is opened, with its tokens in the query, and the receiver of its text. */
interface Opening {
  /** `/hubs/chat?id=…&access_token=…` */
  readonly path: string;
  readonly take: (text: string) => void;
  /** Called as time passes. */
  readonly passing: Set<() => void>;
}

/** Throws `Refused` with the status, which is 404 if the server does not know the connection. */
export type OpenLine = (opening: Opening) => Promise<SignalRLine>;

export class Refused extends Error {
  readonly status: number;

  constructor(status: number) {
    super(`Refused: ${status}`);
    this.status = status;
  }
}

export const openWebSocket: OpenLine = async ({ path, take }) => {
  const { status, webSocket } = await upgrade(path);
  if (!webSocket) throw new Refused(status);
  return new Wire(webSocket, take);
};

const ask = (path: string, init: RequestInit = {}): Promise<Response> =>
  exports.default.fetch(`https://edge.example${path}`, init as RequestInit<never>);

/** Posts one text after another, as Microsoft's client does. */
class Posts {
  readonly #path: string;
  readonly #fail: () => void;
  #last: Promise<void> = Promise.resolve();

  /** `fail` is called if a text is not accepted. */
  constructor(path: string, fail: () => void) {
    [this.#path, this.#fail] = [path, fail];
  }

  send(body: string): void {
    this.#last = this.#last.then(() => this.#post(body)).catch(this.#fail);
  }

  async #post(body: string): Promise<void> {
    const response = await ask(this.#path, { method: "POST", body });
    await response.body?.cancel();
    if (!response.ok) throw new Refused(response.status);
  }
}

class Events extends EventStream implements SignalRLine {
  readonly #posts: Posts;

  constructor(body: ReadableStream<Uint8Array>, { path, take }: Opening) {
    super(body, ({ data }) => take(data));
    this.#posts = new Posts(path, () => this.close());
  }

  send(text: string): void {
    if (!this.isGone) this.#posts.send(text);
  }
}

export const openEvents: OpenLine = async (opening) => {
  const response = await ask(opening.path, { headers: { accept: "text/event-stream" } });
  if (response.ok) return new Events(response.body!, opening);
  await response.body?.cancel();
  throw new Refused(response.status);
};

/** A worker answers a poll after 90 s of the real clock, and its client polls again. */
const POLL_AGAIN_MS = 60_000;

class Polls implements SignalRLine {
  readonly gone: Promise<void>;
  isGone = false;
  readonly #opening: Opening;
  readonly #posts: Posts;
  readonly #aborting = new AbortController();
  /** Of the newest poll. */
  #begunAt = 0;
  #polls = 0;
  /** Answers are taken in the order of their polls. */
  #last: Promise<void> = Promise.resolve();
  #go!: () => void;

  constructor(opening: Opening) {
    this.#opening = opening;
    this.gone = new Promise((resolve) => (this.#go = resolve));
    this.#posts = new Posts(opening.path, () => this.close(1001));
    opening.passing.add(this.#pass);
    this.#poll();
  }

  readonly #pass = (): void => {
    if (Date.now() - this.#begunAt > POLL_AGAIN_MS) this.#poll();
  };

  #poll(): void {
    this.#begunAt = Date.now();
    const number = ++this.#polls;
    const answer = ask(this.#opening.path, { signal: this.#aborting.signal });
    this.#last = Promise.all([answer, this.#last])
      .then(([response]) => this.#take(response, number === this.#polls))
      .catch(() => this.close(1001));
  }

  /** The answer of the newest poll is followed by another poll, until the server has ended the connection. */
  async #take(response: Response, isNewest: boolean): Promise<void> {
    const text = new TextDecoder().decode(await response.arrayBuffer());
    if (this.isGone) return;
    if (text && response.ok) this.#opening.take(text);
    if (!isNewest) return;
    if (response.status === 200) this.#poll();
    else this.close(1001);
  }

  send(text: string): void {
    if (!this.isGone) this.#posts.send(text);
  }

  drop(): void {
    this.isGone = true;
    this.#opening.passing.delete(this.#pass);
    this.#go();
  }

  /** A client that leaves deletes its connection; one that is lost polls no more. */
  close(code: number): void {
    this.drop();
    this.#aborting.abort();
    if (code === 1000) void ask(this.#opening.path, { method: "DELETE" }).catch(() => {});
  }
}

export const openPolls: OpenLine = async (opening) => {
  const first = await ask(opening.path);
  await first.body?.cancel();
  if (first.status !== 200) throw new Refused(first.status);
  return new Polls(opening);
};
