// A position in a room's log: epoch and offset. An offset alone is ambiguous once a log was erased or rebuilt, so each
// log has a random epoch, and positions compare only within one.

import { HubError } from "./errors.ts";

export interface Position {
  readonly epoch: string;
  /** The number of the last message received; 0 is the start of the log. */
  readonly offset: number;
}

/** `epoch:offset`: opaque to clients, and stable on the wire and in storage. */
export const formatPosition = ({ epoch, offset }: Position): string => `${epoch}:${offset}`;

/** An epoch of 1–32 base36 digits, and an offset below 10¹⁵ (a safe integer) without leading zeros. */
const POSITION = /^([0-9a-z]{1,32}):(0|[1-9][0-9]{0,14})$/;

/** Reads `epoch:offset`. Throws `invalid_position`. */
export function parsePosition(text: string): Position {
  const match = POSITION.exec(text);
  if (!match)
    throw new HubError("invalid_position", "A position is epoch:offset, as messages carry it.");
  return { epoch: match[1]!, offset: Number(match[2]) };
}

/** Nine random base36 characters from 64 random bits. */
export function randomEpoch(bits = crypto.getRandomValues(new BigUint64Array(1))): string {
  return (bits[0] ?? 0n).toString(36).padStart(9, "0").slice(-9);
}

/**
 * Whether a position comes after another of the same room. Across epochs the answer is true: the log was rebuilt, so
 * nothing of the new one has been received. Throws `invalid_position`.
 */
export function isAfter(position: string, received: string | undefined): boolean {
  if (received === undefined) return true;
  const [a, b] = [parsePosition(position), parsePosition(received)];
  return a.epoch !== b.epoch || a.offset > b.offset;
}
