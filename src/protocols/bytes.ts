// Frames as bytes, for protocols that treat a connection as one stream of them. Knows no protocol.

import type { Frame } from "./protocol.ts";

/** Text as UTF-8; bytes as they are, without a copy. */
export function asBytes(data: Frame): Uint8Array {
  if (typeof data === "string") return new TextEncoder().encode(data);
  return data instanceof Uint8Array ? data : new Uint8Array(data);
}

/** Frames of text keep their byte order marks, so these do; what is no UTF-8 becomes U+FFFD. */
export const asText = (data: Uint8Array): string =>
  new TextDecoder("utf-8", { fatal: false, ignoreBOM: true }).decode(data);

/** One part alone is returned as it is. */
export function concat(parts: readonly Uint8Array[]): Uint8Array {
  const spoken = parts.filter((part) => part.length > 0);
  if (spoken.length === 1) return spoken[0]!;
  const whole = new Uint8Array(spoken.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of spoken) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** What is left of a frame, as a copy: a view would keep all of it in memory. The whole of it needs none. */
export const restOf = (bytes: Uint8Array, from: number): Uint8Array =>
  from === 0 ? bytes : bytes.slice(from);
