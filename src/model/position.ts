// Where one stands in a room's log. An offset alone lies after a log was erased or rebuilt, so the epoch, random
// per log, goes with it: two positions compare only within one epoch.

import { HubError } from "./errors.ts";

export interface Position {
  readonly epoch: string;
  /** The number of the last message seen; 0 is the start of the log. */
  readonly offset: number;
}

export const formatPosition = ({ epoch, offset }: Position): string => `${epoch}:${offset}`;

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

/** Whether a place, as text, is beyond another of the same room. Offsets of two epochs do not compare. */
export function isAfter(position: string, heard: string | undefined): boolean {
  if (heard === undefined) return true;
  const [one, other] = [parsePosition(position), parsePosition(heard)];
  return one.epoch !== other.epoch || one.offset > other.offset;
}
