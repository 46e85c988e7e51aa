// Frames as bytes, for protocols that treat a connection as one stream of them. Independent of any protocol.

import type { Frame } from "./protocol.ts";

/** Text as UTF-8; bytes without a copy. */
export function asBytes(data: Frame): Uint8Array {
  if (typeof data === "string") return new TextEncoder().encode(data);
  return data instanceof Uint8Array ? data : new Uint8Array(data);
}

/** Whether a text has more bytes in UTF-8. A UTF-16 unit is one to three: most texts need no encoding. */
export const exceeds = (text: string, bytes: number): boolean =>
  text.length > bytes ||
  (text.length * 3 > bytes && new TextEncoder().encode(text).byteLength > bytes);

/** Whether a value of user code is bytes. */
export const isBytes = (value: unknown): value is Uint8Array | ArrayBuffer =>
  value instanceof Uint8Array || value instanceof ArrayBuffer;

/** Bytes as text, byte order marks included, as in frames of text. Ill-formed UTF-8 becomes U+FFFD. */
export const asText = (data: Uint8Array): string =>
  new TextDecoder("utf-8", { fatal: false, ignoreBOM: true }).decode(data);

/** The parts in one array. A single non-empty part is returned as it is, not copied. */
export function concat(parts: readonly Uint8Array[]): Uint8Array {
  const filled = parts.filter((part) => part.length > 0);
  if (filled.length === 1) return filled[0]!;
  const whole = new Uint8Array(filled.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of filled) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/**
 * Appends bytes to the beginning of a message, which is at most `most` bytes long. The buffer gets spare capacity for
 * the next call, so that each byte is copied only a few times, even if the message arrives in many frames.
 */
export function append(begun: Uint8Array, more: Uint8Array, most: number): Uint8Array {
  const length = begun.length + more.length;
  const hasRoom = begun.byteOffset === 0 && length <= begun.buffer.byteLength;
  const buffer = hasRoom
    ? begun.buffer
    : new ArrayBuffer(Math.max(length, Math.min(2 * length, most)));
  const whole = new Uint8Array(buffer, 0, length);
  if (!hasRoom) whole.set(begun);
  whole.set(more, begun.length);
  return whole;
}

/** The rest of a frame, copied, because a view would keep the whole frame in memory; from 0 the frame itself. */
export const restOf = (bytes: Uint8Array, from: number): Uint8Array =>
  from === 0 ? bytes : bytes.slice(from);

/** In slices: `String.fromCharCode` takes characters as arguments, and the stack is finite. */
export function base64(bytes: Uint8Array): string {
  let binary = "";
  for (let start = 0; start < bytes.length; start += 8192)
    binary += String.fromCharCode(...bytes.subarray(start, start + 8192));
  return btoa(binary);
}
