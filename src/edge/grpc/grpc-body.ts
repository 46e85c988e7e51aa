// A request's body as Connect's library reads it, with the timeouts that the library does not have.

import type { DescMethod } from "@bufbuild/protobuf";
import { withTimeout } from "../../model/bounded-read.ts";
import { HubError } from "../../model/errors.ts";
import { LIMITS } from "../../model/options.ts";
import { untilAborted } from "./abort-signals.ts";
import { connectError } from "./grpc-errors.ts";

type MethodKind = DescMethod["methodKind"];

/** Timeout for the next chunk of a message or an upload. */
const IDLE_MS = 90_000;
/** Bodies with a declared length up to this are read at once, others chunk by chunk, up to the library's limit. */
const SMALL_BYTES = LIMITS.messageBytes;

/** Limits of reading the rest after the call has ended (`drain`): total bytes, and time between two chunks. */
const DRAINED_BYTES = 4 * 1024 * 1024;
const DRAINING_MS = 1_000;

type Chunk = IteratorResult<Uint8Array>;

/**
 * Chunks of the body, in order. Reads are serialized: an abandoned read continues, and the next one waits for it. The
 * first chunk of a stream is read at once: `wrangler dev` otherwise waits for the end of the body before it passes on
 * the response. The body of a unary call stays unread until its first use, since the call may be refused before.
 */
export class Body implements AsyncIterable<Uint8Array> {
  readonly #request: Request;
  readonly #kind: MethodKind;
  #reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  #first: Promise<Chunk> | undefined;
  #isWhole = false;
  #signal: AbortSignal | undefined;
  #last: Promise<unknown> = Promise.resolve();

  constructor(request: Request, kind: MethodKind) {
    this.#request = request;
    this.#kind = kind;
    if (kind === "unary") return;
    this.#first = this.#read();
    this.#first.catch(() => {});
  }

  /** From here on, reads reject with the signal's reason when the call is aborted. */
  until(signal: AbortSignal): void {
    this.#signal = signal;
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    return {
      next: () => this.#next(),
      throw: async (error: unknown) => {
        // The rest of an upload is read by `drain`.
        if (this.#kind !== "client_streaming") await this.#reader?.cancel(error);
        return DONE;
      },
    };
  }

  /** The next chunk. A timeout applies, except to sessions: their callers may be silent for any time. */
  #next(): Promise<Chunk> {
    const reading = this.#first ?? this.#read();
    this.#first = undefined;
    const chunk =
      this.#kind === "bidi_streaming" ? reading : withTimeout(IDLE_MS, reading, timedOut);
    return this.#signal ? untilAborted(this.#signal, chunk) : chunk;
  }

  /**
   * Discards the rest of an upload, within limits. Many HTTP/1.1 clients read the response only after they have sent
   * the whole request, and would otherwise never see how the call ended. Never rejects.
   */
  async drain(): Promise<void> {
    if (this.#kind !== "client_streaming") return;
    try {
      for (let bytes = 0; bytes < DRAINED_BYTES;) {
        // oxlint-disable-next-line no-await-in-loop -- one after the other
        const { done, value } = await withTimeout(DRAINING_MS, this.#read(), timedOut);
        if (done) return;
        bytes += value.byteLength;
      }
    } catch {
      // The caller has gone, or is too slow.
    }
  }

  /** If the caller's connection breaks, rejects with an error that says so, not with an internal one. */
  #read(): Promise<Chunk> {
    const reading = this.#last.then(() => this.#readNext()).catch(interrupted);
    this.#last = reading.catch(() => {});
    return reading;
  }

  async #readNext(): Promise<Chunk> {
    const { body } = this.#request;
    if (!body || this.#isWhole) return DONE;
    if (this.#kind === "unary" && isSmall(this.#request)) return this.#readWhole();
    this.#reader ??= body.getReader();
    return this.#reader.read() as Promise<Chunk>;
  }

  /** Reading a whole body costs a fraction of reading chunks. */
  async #readWhole(): Promise<Chunk> {
    this.#isWhole = true;
    return { done: false, value: new Uint8Array(await this.#request.arrayBuffer()) };
  }
}

const DONE: Chunk = { done: true, value: undefined };

/** HTTP holds the caller to the length that it declared. */
const isSmall = ({ headers }: Request): boolean =>
  Number(headers.get("content-length") ?? Infinity) <= SMALL_BYTES;

const timedOut = () =>
  connectError(new HubError("timed_out", "The rest of the request did not come in time."));

function interrupted(): never {
  throw connectError(new HubError("interrupted", "The request was cut off."));
}
