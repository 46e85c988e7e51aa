// A request's body as Connect's library reads it; the library itself bounds no wait for the next piece.

import type { DescMethod } from "@bufbuild/protobuf";
import { inTime } from "../../model/bounded.ts";
import { HubError } from "../../model/errors.ts";
import { connectError } from "./errors.ts";

type MethodKind = DescMethod["methodKind"];

/** Nobody listens while a caller keeps its message to itself. */
const IDLE_MS = 90_000;

type Piece = IteratorResult<Uint8Array>;

/**
 * Of a stream the first piece is read at once: what nobody reads `wrangler dev` reads to its end before it answers. A
 * message that is refused unread is left to it.
 */
export class Body implements AsyncIterable<Uint8Array> {
  readonly #body: ReadableStream<Uint8Array> | null;
  readonly #kind: MethodKind;
  #reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  #first: Promise<Piece> | undefined;

  constructor(body: ReadableStream<Uint8Array> | null, kind: MethodKind) {
    this.#body = body;
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
        return { done: true, value: undefined };
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
    if (!this.#body) return { done: true, value: undefined };
    this.#reader ??= this.#body.getReader();
    return this.#reader.read() as Promise<Piece>;
  }
}

const late = () => connectError(new HubError("timed_out", "Nothing more of the request came."));
