// A request's body as Connect's library reads it; the library itself bounds no wait for the next piece.

import type { DescMethod } from "@bufbuild/protobuf";
import { inTime } from "../../model/bounded.ts";
import { HubError } from "../../model/errors.ts";
import { LIMITS } from "../../model/options.ts";
import { connectError } from "./errors.ts";

type MethodKind = DescMethod["methodKind"];

/** Nobody listens while a caller keeps its message to itself. */
const IDLE_MS = 90_000;
/** More is read piece by piece, and no further than it may be long. */
const SMALL_BYTES = LIMITS.messageBytes;

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

  constructor(request: Request, kind: MethodKind) {
    this.#request = request;
    this.#kind = kind;
    if (kind === "unary") return;
    this.#first = this.#read();
    this.#first.catch(() => {});
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    return {
      next: () => this.#next(),
      throw: async (error: unknown) => {
        await this.#reader?.cancel(error);
        return DONE;
      },
    };
  }

  /** A session's caller may say nothing for as long as it likes. */
  #next(): Promise<Piece> {
    const piece = this.#first ?? this.#read();
    this.#first = undefined;
    return this.#kind === "bidi_streaming" ? piece : inTime(IDLE_MS, piece, late);
  }

  async #read(): Promise<Piece> {
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
