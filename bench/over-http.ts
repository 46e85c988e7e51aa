// Minimal HTTP/1.1 for a load generator: chunked event streams, and POST requests on a kept connection.

import type { ReadFrame, Reader, Take, Target, Transport } from "./transport.ts";

const request = (line: string, host: string, headers: readonly string[]): string =>
  [`${line} HTTP/1.1`, `Host: ${host}`, ...headers, "", ""].join("\r\n");

/** For subscribers only; publishers have a wire of another transport. */
export const eventStreamTransport: Transport = {
  opening: {
    request: ({ host, path }) => request(`GET ${path}`, host, ["Accept: text/event-stream"]),
    answer: "HTTP/1.1 200",
  },
  frame() {
    throw new Error("An event stream cannot publish.");
  },
  reader: (_options, consumed) => new WholeReader(eventsEnd, "utf8", consumed),
  // Comments differ in time per stream, and streams are compared byte by byte.
  unwrapping: () => unchunk(isComment),
};

/** Decodes `Transfer-Encoding: chunked`, and drops some chunks. */
export function unchunk(isIgnored: (chunk: Buffer) => boolean) {
  const chunks = new Chunks();
  return (bytes: Buffer, take: Take): void =>
    chunks.read(bytes, (chunk) => void (isIgnored(chunk) || take(chunk)));
}

const isComment = (chunk: Buffer): boolean => chunk.length <= 3 && chunk[0] === 0x3a;

/** One request per frame; requests are pipelined. */
export const httpPosts: Transport = {
  frame: (text, target) => postOf(target, text),
  reader: () => new AnswerReader(),
};

export const postOf = ({ host, path }: Target, json: string, token?: string): Buffer =>
  Buffer.from(
    request(`POST ${path}`, host, [
      "Content-Type: application/json",
      `Content-Length: ${Buffer.byteLength(json)}`,
      ...(token === undefined ? [] : [`Authorization: Bearer ${token}`]),
    ]) + json,
  );

const EMPTY = Buffer.alloc(0);

/** Decodes `Transfer-Encoding: chunked`. */
class Chunks {
  #head = "";
  /** Bytes that are missing of the current chunk and its line end. */
  #left = 0;

  read(bytes: Buffer, take: Take): void {
    for (let at = 0; at < bytes.length;)
      at = this.#left > 0 ? this.#data(bytes, at, take) : this.#size(bytes, at);
  }

  #data(bytes: Buffer, at: number, take: Take): number {
    const data = Math.min(at + this.#left - 2, bytes.length);
    if (data > at) take(bytes.subarray(at, data));
    const end = Math.min(at + this.#left, bytes.length);
    this.#left -= end - at;
    return end;
  }

  #size(bytes: Buffer, at: number): number {
    const end = bytes.indexOf("\n", at) + 1 || bytes.length;
    this.#head += bytes.toString("latin1", at, end);
    if (!this.#head.endsWith("\n")) return end;
    const size = Number.parseInt(this.#head, 16);
    if (!(size > 0)) throw new Error("The server ended a stream.");
    this.#head = "";
    this.#left = size + 2;
    return end;
  }
}

const BLOCK_END = "\n\n";

/** The end of the last complete event: a frame is whatever the server wrote at once, mostly. */
const eventsEnd = (bytes: Buffer): number => {
  const last = bytes.lastIndexOf(BLOCK_END);
  return last < 0 ? 0 : last + BLOCK_END.length;
};

/** Reads complete records as one frame, and keeps the rest for the next chunk. */
export class WholeReader implements Reader {
  #rest: Buffer = EMPTY;
  #consumed: number;
  readonly #endIn: (bytes: Buffer) => number;
  readonly #encoding: BufferEncoding;

  /** `endIn` gives the end of the last complete record. */
  constructor(endIn: (bytes: Buffer) => number, encoding: BufferEncoding, consumed = 0) {
    this.#endIn = endIn;
    this.#encoding = encoding;
    this.#consumed = consumed;
  }

  get atBoundary(): boolean {
    return this.#rest.length === 0;
  }

  read(chunk: Buffer, onFrame: (frame: ReadFrame) => void): void {
    const bytes = this.#rest.length > 0 ? Buffer.concat([this.#rest, chunk]) : chunk;
    const end = this.#endIn(bytes);
    this.#rest = end < bytes.length ? Buffer.from(bytes.subarray(end)) : EMPTY;
    this.#consumed += end;
    if (end > 0) onFrame({ text: bytes.toString(this.#encoding, 0, end), end: this.#consumed });
  }
}

const HEAD_END = "\r\n\r\n";

/** Reads responses with a content length; their bodies are the frames. */
class AnswerReader implements Reader {
  #rest: Buffer = EMPTY;
  #consumed = 0;

  get atBoundary(): boolean {
    return this.#rest.length === 0;
  }

  read(chunk: Buffer, onFrame: (frame: ReadFrame) => void): void {
    let bytes = this.#rest.length > 0 ? Buffer.concat([this.#rest, chunk]) : chunk;
    for (let found = answerIn(bytes); found; found = answerIn(bytes)) {
      this.#consumed += found.end;
      if (found.text !== "") onFrame({ text: found.text, end: this.#consumed });
      bytes = bytes.subarray(found.end);
    }
    this.#rest = Buffer.from(bytes);
  }
}

function answerIn(bytes: Buffer): ReadFrame | undefined {
  const headEnd = bytes.indexOf(HEAD_END);
  if (headEnd < 0) return undefined;
  const head = bytes.toString("latin1", 0, headEnd);
  const start = headEnd + HEAD_END.length;
  const end = start + lengthIn(head);
  return end > bytes.length ? undefined : { text: bytes.toString("utf8", start, end), end };
}

function lengthIn(head: string): number {
  if (head.startsWith("HTTP/1.1 204")) return 0;
  const length = /^content-length: *(?<length>\d+)/im.exec(head)?.groups?.["length"];
  if (length === undefined || !head.startsWith("HTTP/1.1 200")) throw new Error(head);
  return Number(length);
}
