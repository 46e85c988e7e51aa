// Just enough WebSocket for a load generator: the upgrade, masked frames out, frames in. No library's own cost or
// cleverness stands between the socket and the counters.

import { randomBytes } from "node:crypto";

export const upgradeOf = (path: string, host: string): string =>
  [
    `GET ${path} HTTP/1.1`,
    `Host: ${host}`,
    "Upgrade: websocket",
    "Connection: Upgrade",
    `Sec-WebSocket-Key: ${randomBytes(16).toString("base64")}`,
    "Sec-WebSocket-Version: 13",
    "",
    "",
  ].join("\r\n");

const TEXT = 0x1;
const CLOSE = 0x8;
const FIN = 0x80;
const MASKED = 0x80;

/** A client's text frame, masked as clients must. */
export function maskedFrame(text: string): Buffer {
  const payload = Buffer.from(text);
  const { length } = payload;
  const wide = length > 125;
  if (length > 0xffff) throw new RangeError(`A frame of ${length} bytes; this client sends less.`);
  const start = wide ? 8 : 6;
  const frame = Buffer.allocUnsafe(start + length);
  frame[0] = FIN | TEXT;
  frame[1] = MASKED | (wide ? 126 : length);
  if (wide) frame.writeUInt16BE(length, 2);
  const key = (Math.random() * 0x1_0000_0000) >>> 0;
  frame.writeUInt32BE(key, start - 4);
  for (let i = 0; i < length; i++)
    frame[start + i] = payload[i]! ^ ((key >>> (24 - 8 * (i & 3))) & 0xff);
  return frame;
}

export interface ReadFrame {
  readonly text: string;
  /** Where the frame ends in all that was read. */
  readonly end: number;
}

const NOTHING = Buffer.alloc(0);

/** A server's bytes as text frames; throws on anything a server of this bench does not send. */
export class FrameReader {
  #rest: Buffer = NOTHING;
  #consumed: number;

  constructor(consumed = 0) {
    this.#consumed = consumed;
  }

  get atBoundary(): boolean {
    return this.#rest.length === 0;
  }

  /** The chunk may be overwritten afterwards. */
  read(chunk: Buffer, onFrame: (frame: ReadFrame) => void): void {
    const bytes = this.#rest.length > 0 ? Buffer.concat([this.#rest, chunk]) : chunk;
    let at = 0;
    for (let end = endOf(bytes, at); end !== undefined; end = endOf(bytes, at)) {
      const text = textOf(bytes, at, end);
      this.#consumed += end - at;
      at = end;
      onFrame({ text, end: this.#consumed });
    }
    this.#rest = at < bytes.length ? Buffer.from(bytes.subarray(at)) : NOTHING;
  }
}

/** Where the frame at `at` ends, if it is there as a whole. */
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

function textOf(bytes: Buffer, at: number, end: number): string {
  const opcode = bytes[at]! & 0xf;
  if (opcode === CLOSE) throw new Error("The server closed a socket.");
  if (opcode !== TEXT || (bytes[at]! & FIN) === 0)
    throw new Error(`A frame that begins with 0x${bytes[at]!.toString(16)}.`);
  return bytes.toString("utf8", at + headLength(bytes[at + 1]!), end);
}
