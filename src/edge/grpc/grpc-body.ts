// A request's body as Connect's library reads it; the library itself bounds no wait for the next piece.

import type { DescMethod } from "@bufbuild/protobuf";
import { withTimeout } from "../../model/bounded-read.ts";
import { HubError } from "../../model/errors.ts";
import { LIMITS } from "../../model/options.ts";
import { within } from "./grpc-call.ts";
import { connectError } from "./grpc-errors.ts";

type MethodKind = DescMethod["methodKind"];

/** Nobody listens while a caller keeps its message to itself. */
const IDLE_MS = 90_000;
/** More is read piece by piece, and no further than it may be long. */
const SMALL_BYTES = LIMITS.messageBytes;

/** What a caller may still say of a call that is over, and between two pieces of it. */
const DRAINED_BYTES = 4 * 1024 * 1024;
const DRAINING_MS = 1_000;

type Piece = IteratorResult<Uint8Array>;

/**
 * Of a stream the first piece is read at once: what nobody reads `wrangler dev` reads to its end before it answers. A
 * message that is refused unread is left to it.
 */
export class Body implements AsyncIterable<Uint8Array> {
  readonly #request: Request;
  readonly #kind: MethodKind;
  #reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  #first: Promise<Piece> | undefined;
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

  /** Nothing is awaited any longer than the call may take. */
  until(signal: AbortSignal): void {
    this.#signal = signal;
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    return {
      next: () => this.#next(),
      throw: async (error: unknown) => {
        // Of an upload the rest is heard yet.
        if (this.#kind !== "client_streaming") await this.#reader?.cancel(error);
        return DONE;
      },
    };
  }

  /** A session's caller may say nothing for as long as it likes. */
  #next(): Promise<Piece> {
    const reading = this.#first ?? this.#read();
    this.#first = undefined;
    const piece = this.#kind === "bidi_streaming" ? reading : withTimeout(IDLE_MS, reading, late);
    return this.#signal ? within(this.#signal, piece) : piece;
  }

  /** Reads on where nobody does: a caller that is still saying something does not hear how its call ended. */
  async drain(): Promise<void> {
    if (this.#kind !== "client_streaming") return;
    try {
      for (let bytes = 0; bytes < DRAINED_BYTES;) {
        // oxlint-disable-next-line no-await-in-loop -- one after the other
        const { done, value } = await withTimeout(DRAINING_MS, this.#read(), late);
        if (done) return;
        bytes += value.byteLength;
      }
    } catch {
      // It has heard by now, or never will.
    }
  }

  /** One after the other. A caller's broken network is no fault of ours, as which the engine would have it. */
  #read(): Promise<Piece> {
    const reading = this.#last.then(() => this.#readNext()).catch(broken);
    this.#last = reading.catch(() => {});
    return reading;
  }

  async #readNext(): Promise<Piece> {
    const { body } = this.#request;
    if (!body || this.#isWhole) return DONE;
    if (this.#kind === "unary" && isSmall(this.#request)) return this.#readWhole();
    this.#reader ??= body.getReader();
    return this.#reader.read() as Promise<Piece>;
  }

  /** By the engine, at a fraction of what pieces cost here. */
  async #readWhole(): Promise<Piece> {
    this.#isWhole = true;
    return { done: false, value: new Uint8Array(await this.#request.arrayBuffer()) };
  }
}

const DONE: Piece = { done: true, value: undefined };

/** HTTP holds the caller to the length it said. */
const isSmall = ({ headers }: Request): boolean =>
  Number(headers.get("content-length") ?? Infinity) <= SMALL_BYTES;

const late = () => connectError(new HubError("timed_out", "Nothing more of the request came."));

function broken(): never {
  throw connectError(new HubError("interrupted", "The request broke off."));
}
