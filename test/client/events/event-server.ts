// A fake server for tests of `events`: requests without a network, whose responses the test controls.

import { onTestFinished, vi } from "vitest";
import { events, type EventsOptions, type RoomEvent } from "../../../src/client/index.ts";
import type { TestHub } from "../hubs.ts";
import { HALF, HELLO, outcomeOf, advance } from "../server.ts";

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

  refuse(status: number, headers: Record<string, string> = {}, body: BodyInit | null = null): void {
    this.#answer.resolve(new Response(body, { status, headers }));
  }

  /** The request fails, or the response breaks off. */
  fail(error: Error = new TypeError("The network is lost.")): void {
    this.#answer.reject(error);
    try {
      this.#body.error(error);
    } catch {
      // The body was never started, or is closed.
    }
  }

  /** Raw text of the stream. */
  write(text: string): void {
    this.#body.enqueue(new TextEncoder().encode(text));
  }

  deliver(event: string, data: unknown, id?: string): void {
    const ids = id === undefined ? "" : `id: ${id}\n`;
    this.write(`event: ${event}\n${ids}data: ${JSON.stringify(data)}\n\n`);
  }

  deliverMessage(text: string, id?: string): void {
    this.deliver("said", ["bob", text], id);
  }

  /** Accepts the request and sends a greeting, by default that of `group:lobby` at `e:10`. */
  greet(event = "connected", id = "e:10", hello: object = {}): this {
    this.accept().deliver(event, { ...HELLO, ...hello }, id);
    return this;
  }

  end(): void {
    this.#body.close();
  }
}

export interface Reader {
  readonly requests: readonly FakeRequest[];
  /** Refers to the newest request, whenever it is used. */
  readonly request: FakeRequest;
  readonly received: RoomEvent<TestHub>[];
  /** How the iteration ended: its value, or the code of its error. */
  readonly outcome: Promise<unknown>;
  /** Its error. */
  readonly failure: Promise<unknown>;
  /** Aborts the signal of the iteration. */
  readonly stop: () => void;
}

/**
 * A reader during its first attempt, on a fake clock. `each` is the body of its loop; returning "break" ends the loop.
 */
export async function startReader(
  options: Partial<EventsOptions> = {},
  each: (event: RoomEvent<TestHub>) => unknown = () => {},
): Promise<Reader> {
  vi.useFakeTimers();
  const requests: FakeRequest[] = [];
  const received: RoomEvent<TestHub>[] = [];
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
  const iteration = iterate(iterable, received, each);
  const outcome = outcomeOf(iteration);
  const failure = iteration.catch((error: unknown) => error);
  onTestFinished(async () => {
    over.abort();
    await advance();
    const left = vi.getTimerCount();
    vi.useRealTimers();
    const open = requests.filter((one) => !one.isAborted).length;
    if (left + open > 0) throw new Error(`${left} timers and ${open} requests are left.`);
  });
  await advance();
  const stop = () => over.abort();
  return { requests, received, outcome, failure, stop, request: newest(requests) };
}

async function iterate(
  iterable: AsyncIterable<RoomEvent<TestHub>>,
  received: RoomEvent<TestHub>[],
  each: (event: RoomEvent<TestHub>) => unknown,
): Promise<void> {
  for await (const event of iterable) {
    received.push(event);
    if ((await each(event)) === "break") break;
  }
}

/** A proxy for the request that is the newest at each access. */
const newest = (requests: readonly FakeRequest[]): FakeRequest =>
  new Proxy({} as FakeRequest, {
    get: (_, name) => {
      const request = requests.at(-1);
      if (!request) throw new Error("Nobody has asked.");
      const value = Reflect.get(request, name, request) as unknown;
      return typeof value === "function" ? value.bind(request) : value;
    },
  });

/** The texts of messages, and the types of other events. */
export const texts = (received: readonly RoomEvent<TestHub>[]): unknown[] =>
  received.map((event) => (event.method === "said" ? event.params[1] : event.type));

/** The error code of each reconnection. */
export const reconnectionCodes = ({ received }: Reader): string[] =>
  received.flatMap((event) => (event.type === "reconnecting" ? [event.error.code] : []));
