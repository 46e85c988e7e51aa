// Server-Sent Events: one room, or several, as a stream that browsers' EventSource and `fetch` read. `event:` is what
// the hub calls, `data:` its arguments, `id:` where the client stands then.

import { HubError } from "../model/errors.ts";
import { Bridge, standAfter, type Heard, type Hello } from "./bridge.ts";

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

const HEADERS = {
  "content-type": "text/event-stream; charset=utf-8",
  // Neither kept nor compressed on the way: both would hold events back.
  "cache-control": "no-cache, no-transform",
  "x-accel-buffering": "no",
};

/** Throws what the rooms throw that cannot be entered: nothing is answered then. */
export async function eventStream(
  sources: readonly Source[],
  { signal }: Request,
): Promise<Response> {
  const stream = new EventStream(sources);
  signal.addEventListener("abort", () => stream.end());
  await stream.begin();
  return new Response(stream.readable, { headers: HEADERS });
}

class EventStream {
  readonly readable: ReadableStream<Uint8Array>;
  readonly #bridges: readonly Bridge[];
  /** Where the client stands, by room. */
  readonly #positions: Map<string, string>;
  readonly #single: boolean;
  #controller!: ReadableStreamDefaultController<Uint8Array>;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(sources: readonly Source[]) {
    this.#single = sources.length === 1;
    this.#positions = new Map(sources.flatMap(({ room, since }) => (since ? [[room, since]] : [])));
    this.#bridges = sources.map((source) => this.#bridge(source));
    this.readable = new ReadableStream(
      { start: (controller) => void (this.#controller = controller), cancel: () => this.end() },
      new ByteLengthQueuingStrategy({ highWaterMark: QUEUED_BYTES }),
    );
  }

  async begin(): Promise<void> {
    this.#write(`retry: ${Math.round(RETRY_MS * (1 + Math.random()))}\n\n`);
    const begun = await Promise.allSettled(this.#bridges.map((bridge) => bridge.begin()));
    const refused = begun.find((one) => one.status === "rejected");
    if (refused) {
      this.end();
      throw refused.reason;
    }
    this.#timer = setInterval(() => this.#write(":\n\n"), COMMENT_MS);
  }

  #bridge({ room, since, open }: Source): Bridge {
    const options = {
      open,
      heard: (heard: Heard) => this.#tell(room, heard),
      ended: (code: number, reason: string) => this.#over(room, code, reason),
    };
    return new Bridge(options, since);
  }

  #tell(room: string, heard: Heard): void {
    const { name, data, position } = eventOf(room, heard, this.#positions.get(room));
    if (position !== undefined) this.#positions.set(room, position);
    const id = position === undefined ? "" : `id: ${this.#id}\n`;
    this.#write(`event: ${name}\n${id}data: ${JSON.stringify(data)}\n\n`);
  }

  /** One position, or one for each room. */
  get #id(): string {
    if (this.#single) return [...this.#positions.values()][0] ?? "";
    return formatPositions(this.#positions);
  }

  /** A room that ended the stream ends it as a whole: what is left would look like all. */
  #over(room: string, code: number, reason: string): void {
    this.#write(`event: end\ndata: ${JSON.stringify({ room, code, reason })}\n\n`);
    this.end();
    this.#controller.close();
  }

  #write(text: string): void {
    if ((this.#controller.desiredSize ?? 0) < 0) return this.#drop();
    this.#controller.enqueue(new TextEncoder().encode(text));
  }

  #drop(): void {
    this.end();
    this.#controller.error(new HubError("rate_limited", "The reader is too slow."));
  }

  /** The client is gone, or nothing more will come. */
  end(): void {
    clearInterval(this.#timer ?? null);
    for (const bridge of this.#bridges) bridge.end();
  }
}

interface ServerSentEvent {
  readonly name: string;
  readonly data: unknown;
  readonly position?: string;
}

/** The protocol's own words lose their `$/`; how a connection began says whether it is whole. */
function eventOf(room: string, heard: Heard, stood: string | undefined): ServerSentEvent {
  const { method = "", params, position } = heard;
  if (method === "$/connected") {
    const hello = params as Hello;
    const name = stood === undefined ? "connected" : hello.recovered ? "recovered" : "reset";
    return { name, data: hello, position: standAfter(hello, stood) };
  }
  if (heard.room !== undefined && heard.room !== room) return elsewhere(heard);
  return { name: wordOf(method), data: params, ...(position !== undefined && { position }) };
}

/** What another room says to this connection has a place in that room only. */
const elsewhere = ({ method = "", params }: Heard): ServerSentEvent => ({
  name: wordOf(method),
  data: params,
});

/** A name ends at a line's end. */
const wordOf = (method: string): string => method.replace(/^\$\//, "").replaceAll(/[\r\n]/g, " ");

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
