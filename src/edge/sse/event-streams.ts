// Server-Sent Events: one room, or several, as a stream that browsers' EventSource and `fetch` read.

import { HubError } from "../../model/errors.ts";
import { Bridge } from "../stream/bridge.ts";
import { eventOf, isQuestion, textOf, type Heard } from "./sse-events.ts";
import type { Frame } from "../stream/shared-frames.ts";
import { Once } from "../stream/deduplicate.ts";

/** One room of a stream. */
export interface Source {
  /** As a topic. */
  readonly room: string;
  readonly since: string | undefined;
  open(since: string | undefined): Promise<WebSocket>;
}

/** Browsers give up on a silent stream after minutes, proxies sooner. */
const COMMENT_MS = 15_000;
/** Bytes that may wait for a reader who does not read; more, and it may come back and resume. */
const QUEUED_BYTES = 1024 * 1024;
/** When a browser may come back, plus as much again by chance: not all at once. */
const RETRY_MS = 1_000;
/** The same where the server has too much to do. */
const LATER_MS = 5_000;

const HEADERS = {
  "content-type": "text/event-stream; charset=utf-8",
  // Neither kept nor compressed on the way: both would hold events back.
  "cache-control": "no-cache, no-transform",
  "x-accel-buffering": "no",
};

/**
 * A browser's EventSource never comes back from a refusal. What will be over soon is told to it as a stream that ends,
 * for which it does.
 */
export function patient({ headers }: Request, response: Response): Response {
  const listens = headers.get("accept")?.includes("text/event-stream");
  if (response.status !== 503 || !listens) return response;
  const code = response.headers.get("x-dormouse-error") ?? "unavailable";
  const stream = `retry: ${LATER_MS}\n: ${code}\n\n`;
  return new Response(stream, { headers: { ...HEADERS, "x-dormouse-error": code } });
}

/** Throws what the rooms throw that cannot be entered: nothing is answered then. */
export async function eventStream(
  sources: readonly Source[],
  { method, signal }: Request,
): Promise<Response> {
  // HEAD is served as GET is, and its body is thrown away without a word to whoever writes it.
  if (method === "HEAD") return new Response(null, { headers: HEADERS });
  const stream = new EventStream(sources);
  signal.addEventListener("abort", () => stream.end());
  await stream.begin();
  if (signal.aborted) stream.end();
  return new Response(stream.readable, { headers: HEADERS });
}

class EventStream {
  readonly readable: ReadableStream<Uint8Array>;
  readonly #bridges: readonly Bridge[];
  /** Where the client stands, by room. */
  readonly #positions: Map<string, string>;
  readonly #single: boolean;
  readonly #once: Once;
  #controller!: ReadableStreamDefaultController<Uint8Array>;
  #timer: ReturnType<typeof setInterval> | undefined;
  /** Perhaps before all rooms were there. */
  #isOver = false;

  constructor(sources: readonly Source[]) {
    this.#single = sources.length === 1;
    this.#once = new Once(sources.map(({ room }) => room));
    this.#positions = new Map(sources.flatMap(({ room, since }) => (since ? [[room, since]] : [])));
    this.#bridges = sources.map((source) => this.#bridge(source));
    this.readable = new ReadableStream(
      { start: (controller) => void (this.#controller = controller), cancel: () => this.end() },
      new ByteLengthQueuingStrategy({ highWaterMark: QUEUED_BYTES }),
    );
  }

  async begin(): Promise<void> {
    this.#say(`retry: ${Math.round(RETRY_MS * (1 + Math.random()))}\n\n`);
    const begun = await Promise.allSettled(this.#bridges.map((bridge) => bridge.begin()));
    const refused = begun.find((one) => one.status === "rejected");
    if (refused) {
      this.end();
      throw refused.reason;
    }
    if (!this.#isOver) this.#timer = setInterval(() => this.#say(":\n\n"), COMMENT_MS);
  }

  #bridge({ room, since, open }: Source): Bridge {
    const options = {
      room,
      open,
      heard: (frame: Frame) => this.#tell(room, frame),
      ended: (code: number, reason: string) => this.#over(room, code, reason),
    };
    return new Bridge(options, since);
  }

  /** One write for all of a frame: each costs a chunk of its own, and its way out. */
  #tell(room: string, { records, alike }: Frame): void {
    if (!alike || !this.#single)
      return this.#say(records.map((record) => this.#event(room, record)).join(""));
    if (alike.position !== undefined) this.#positions.set(room, alike.position);
    this.#write(alike.bytes);
  }

  #event(room: string, heard: Heard): string {
    if (!this.#single && this.#once.heardBefore(room, heard)) return "";
    const event = isQuestion(heard) ? undefined : eventOf(room, heard, this.#positions.get(room));
    if (!event) return "";
    const { position } = event;
    if (position === undefined) return textOf(event, undefined);
    this.#positions.set(room, position);
    return textOf(event, this.#id);
  }

  /** One position, or one for each room. */
  get #id(): string {
    if (this.#single) return [...this.#positions.values()][0] ?? "";
    return formatPositions(this.#positions);
  }

  /** A room that ended the stream ends it as a whole: what is left would look like all. */
  #over(room: string, code: number, reason: string): void {
    this.#say(`event: end\ndata: ${JSON.stringify({ room, code, reason })}\n\n`);
    if (this.#isOver) return; // That was too much for its reader.
    this.end();
    this.#controller.close();
  }

  #say(text: string): void {
    this.#write(encode(text));
  }

  #write(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    if ((this.#controller.desiredSize ?? 0) < 0) return this.#drop();
    this.#controller.enqueue(bytes);
  }

  #drop(): void {
    this.end();
    this.#controller.error(new HubError("rate_limited", "The reader is too slow."));
  }

  /** The client is gone, or nothing more will come. */
  end(): void {
    this.#isOver = true;
    clearInterval(this.#timer ?? null);
    for (const bridge of this.#bridges) bridge.end();
  }
}

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

/** `group%3Aa=epoch:1;order%3A42=epoch:7`, as an event's id. */
export const formatPositions = (positions: ReadonlyMap<string, string>): string =>
  [...positions].map(([room, position]) => `${encodeURIComponent(room)}=${position}`).join(";");

/** Reads what `formatPositions` wrote. Throws `invalid_position`. */
export function parsePositions(text: string): ReadonlyMap<string, string> {
  try {
    return new Map(
      text.split(";").map((part) => {
        const equals = part.lastIndexOf("=");
        return [decodeURIComponent(part.slice(0, Math.max(equals, 0))), part.slice(equals + 1)];
      }),
    );
  } catch {
    throw new HubError("invalid_position", "An event's id is room=epoch:offset, with ; between.");
  }
}
