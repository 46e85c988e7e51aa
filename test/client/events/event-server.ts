// The other end for tests of `events`: requests that go nowhere, and a test that plays the server.

import { onTestFinished, vi } from "vitest";
import { events, type EventsOptions, type RoomEvent } from "../../../src/client/index.ts";
import type { TestHub } from "../hubs.ts";
import { HALF, HELLO, outcomeOf, pass } from "../server.ts";

export class FakeRequest {
  readonly url: URL;
  readonly headers: Headers;
  readonly #signal: AbortSignal;
  readonly #answer = Promise.withResolvers<Response>();
  #body!: ReadableStreamDefaultController<Uint8Array>;

  constructor(url: string, { headers, signal }: RequestInit) {
    this.url = new URL(url);
    this.headers = new Headers(headers);
    this.#signal = signal!;
    this.#signal.addEventListener("abort", () => this.fail(new DOMException("", "AbortError")));
  }

  get response(): Promise<Response> {
    return this.#answer.promise;
  }

  get isAborted(): boolean {
    return this.#signal.aborted;
  }

  get lastEventId(): string | null {
    return this.headers.get("last-event-id");
  }

  accept(): this {
    const body = new ReadableStream<Uint8Array>({ start: (one) => void (this.#body = one) });
    const headers = { "content-type": "text/event-stream; charset=utf-8" };
    this.#answer.resolve(new Response(body, { headers }));
    return this;
  }

  refuse(status: number, headers: Record<string, string> = {}): void {
    this.#answer.resolve(new Response(null, { status, headers }));
  }

  /** No answer comes, or what was coming breaks off. */
  fail(error: Error = new TypeError("The network is lost.")): void {
    this.#answer.reject(error);
    try {
      this.#body.error(error);
    } catch {
      // It was never begun, or is over.
    }
  }

  /** As it stands on the wire. */
  write(text: string): void {
    this.#body.enqueue(new TextEncoder().encode(text));
  }

  say(event: string, data: unknown, id?: string): void {
    const ids = id === undefined ? "" : `id: ${id}\n`;
    this.write(`event: ${event}\n${ids}data: ${JSON.stringify(data)}\n\n`);
  }

  said(text: string, id?: string): void {
    this.say("said", ["bob", text], id);
  }

  /** Accepts, and says hello: at `e:10` of `group:lobby`, unless it is said otherwise. */
  greet(event = "connected", id = "e:10", hello: object = {}): this {
    this.accept().say(event, { ...HELLO, ...hello }, id);
    return this;
  }

  end(): void {
    this.#body.close();
  }
}

export interface Listening {
  readonly requests: readonly FakeRequest[];
  /** The newest. */
  readonly request: FakeRequest;
  readonly heard: RoomEvent<TestHub>[];
  /** What the iteration came to. */
  readonly outcome: Promise<unknown>;
  /** Ends the iteration from outside. */
  readonly stop: () => void;
}

/** A reader that is making its first attempt, on a fake clock; `each` is what its loop does. */
export async function listening(
  options: Partial<EventsOptions> = {},
  each: (event: RoomEvent<TestHub>) => unknown = () => {},
): Promise<Listening> {
  vi.useFakeTimers();
  const requests: FakeRequest[] = [];
  const heard: RoomEvent<TestHub>[] = [];
  const over = new AbortController();
  const iterable = events<TestHub>("https://host/hubs/test", {
    ...(options.rooms ? {} : { room: "group:lobby" }),
    token: "t",
    backoff: { random: () => HALF },
    signal: over.signal,
    fetch: ((url: string, init: RequestInit) => {
      requests.push(new FakeRequest(url, init));
      return requests.at(-1)!.response;
    }) as typeof fetch,
    ...options,
  } as EventsOptions);
  const outcome = outcomeOf(iterated(iterable, heard, each));
  onTestFinished(async () => {
    over.abort();
    await pass();
    const left = vi.getTimerCount();
    vi.useRealTimers();
    const open = requests.filter((one) => !one.isAborted).length;
    if (left + open > 0) throw new Error(`${left} timers and ${open} requests are left.`);
  });
  await pass();
  const stop = () => over.abort();
  return { requests, heard, outcome, stop, request: newest(requests) };
}

async function iterated(
  iterable: AsyncIterable<RoomEvent<TestHub>>,
  heard: RoomEvent<TestHub>[],
  each: (event: RoomEvent<TestHub>) => unknown,
): Promise<void> {
  for await (const event of iterable) {
    heard.push(event);
    if ((await each(event)) === "break") break;
  }
}

/** Whichever is the newest when something is asked of it. */
const newest = (requests: readonly FakeRequest[]): FakeRequest =>
  new Proxy({} as FakeRequest, {
    get: (_, name) => {
      const request = requests.at(-1);
      if (!request) throw new Error("Nobody has asked.");
      const value = Reflect.get(request, name, request) as unknown;
      return typeof value === "function" ? value.bind(request) : value;
    },
  });

/** What was said, without its circumstances. */
export const texts = (heard: readonly RoomEvent<TestHub>[]): unknown[] =>
  heard.map((event) => (event.method === "said" ? event.params[1] : event.type));

/** Why it came back, each time. */
export const returns = ({ heard }: Listening): string[] =>
  heard.flatMap((event) => (event.type === "reconnecting" ? [event.error.code] : []));
