// Minimal WebSocket for a load generator: upgrade, masked frames out, frames in. No library's cost stands between the
// socket and the counters.

import { randomBytes } from "node:crypto";
import type { ReadFrame, Reader, ReaderOptions, Target, Transport } from "./transport.ts";

export const webSocket: Transport = {
  opening: { request: upgradeOf, answer: "HTTP/1.1 101" },
  frame: (text, _target, binary) => maskedFrame(text, binary),
  reader: (options, consumed) => new FrameReader(options, consumed),
};

function upgradeOf({ path, host }: Target): string {
  return [
    `GET ${path} HTTP/1.1`,
    `Host: ${host}`,
    "Upgrade: websocket",
    "Connection: Upgrade",
    `Sec-WebSocket-Key: ${randomBytes(16).toString("base64")}`,
    "Sec-WebSocket-Version: 13",
    "",
    "",
  ].join("\r\n");
}

const CONTINUATION = 0x0;
const TEXT = 0x1;
const BINARY = 0x2;
const CLOSE = 0x8;
const FIN = 0x80;
const MASKED = 0x80;

/** A client's frame, masked (RFC 6455 §5.3). Binary payloads are strings of one character per byte. */
function maskedFrame(text: string, binary = false): Buffer {
  const payload = Buffer.from(text, binary ? "latin1" : "utf8");
  const { length } = payload;
  const wide = length > 125;
  if (length > 0xffff) throw new RangeError(`A frame of ${length} bytes; this client sends less.`);
  const start = wide ? 8 : 6;
  const frame = Buffer.allocUnsafe(start + length);
  frame[0] = FIN | (binary ? BINARY : TEXT);
  frame[1] = MASKED | (wide ? 126 : length);
  if (wide) frame.writeUInt16BE(length, 2);
  const key = (Math.random() * 0x1_0000_0000) >>> 0;
  frame.writeUInt32BE(key, start - 4);
  for (let i = 0; i < length; i++)
    frame[start + i] = payload[i]! ^ ((key >>> (24 - 8 * (i & 3))) & 0xff);
  return frame;
}

const EMPTY = Buffer.alloc(0);

class FrameReader implements Reader {
  readonly #options: ReaderOptions;
  #rest: Buffer = EMPTY;
  /** The frames so far of an unfinished message. */
  #message = "";
  #consumed: number;

  constructor(options: ReaderOptions = {}, consumed = 0) {
    this.#options = options;
    this.#consumed = consumed;
  }

  get atBoundary(): boolean {
    return this.#rest.length === 0 && this.#message === "";
  }

  read(chunk: Buffer, onFrame: (frame: ReadFrame) => void): void {
    const bytes = this.#rest.length > 0 ? Buffer.concat([this.#rest, chunk]) : chunk;
    let at = 0;
    for (let end = endOf(bytes, at); end !== undefined; end = endOf(bytes, at)) {
      const text = this.#message + this.#textOf(bytes, at, end);
      const isWhole = (bytes[at]! & FIN) !== 0 && (this.#options.isWhole?.(text) ?? true);
      this.#consumed += end - at;
      at = end;
      this.#message = isWhole ? "" : text;
      if (isWhole) onFrame({ text, end: this.#consumed });
    }
    this.#rest = at < bytes.length ? Buffer.from(bytes.subarray(at)) : EMPTY;
  }

  #textOf(bytes: Buffer, at: number, end: number): string {
    const { binary = false } = this.#options;
    const opcode = bytes[at]! & 0xf;
    if (opcode === CLOSE) throw new Error("The server closed a socket.");
    if (opcode !== (binary ? BINARY : TEXT) && opcode !== CONTINUATION)
      throw new Error(`A frame that begins with 0x${bytes[at]!.toString(16)}.`);
    return bytes.toString(binary ? "latin1" : "utf8", at + headLength(bytes[at + 1]!), end);
  }
}

/** The end of the frame at `at`; undefined where it is incomplete. */
function endOf(bytes: Buffer, at: number): number | undefined {
  const length = bytes.length > at + 1 ? bytes[at + 1]! : 0x100;
  const start = at + headLength(length);
  if (bytes.length < start) return undefined;
  const end = start + sizeOf(bytes, at, length);
  return bytes.length < end ? undefined : end;
}

const headLength = (length: number): number =>
  length < 126 ? 2 : length === 126 ? 4 : length === 127 ? 10 : Infinity;

const sizeOf = (bytes: Buffer, at: number, length: number): number =>
  length < 126
    ? length
    : length === 126
      ? bytes.readUInt16BE(at + 2)
      : Number(bytes.readBigUInt64BE(at + 2));
