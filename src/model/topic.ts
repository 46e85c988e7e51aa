// Where a message is: its topic, and its position in the topic's log. A topic is the name of an audience, which is a
// room of a hub: the whole hub, a group, an order channel or a user. A position is an epoch and an offset: an offset
// alone is ambiguous once a log was erased or rebuilt, so each log has a random epoch, and positions compare only
// within one.

import { HubError } from "./errors.ts";

export const ROOM_KINDS = ["group", "order", "user"] as const;

/** The kinds of room a client may name. */
export type RoomKind = (typeof ROOM_KINDS)[number];

/**
 * `all` is every connection of a hub. It has no name, and clients cannot join it: objects that hold sockets follow it
 * on their behalf.
 */
export type Topic =
  | { readonly kind: RoomKind; readonly name: string }
  | { readonly kind: "all"; readonly name: "" };

export const ALL: Topic = { kind: "all", name: "" };

export const isRoomKind = (kind: string): kind is RoomKind =>
  (ROOM_KINDS as readonly string[]).includes(kind);

/** `all`, `group:lobby`, `order:42`, `user:alice`: the form on the wire, in storage and in logs. */
export const formatTopic = ({ kind, name }: Topic): string =>
  kind === "all" ? "all" : `${kind}:${name}`;

/** A topic as the server spells it. Throws what `parseTopic` throws. */
export const canonicalTopic = (text: string): string => formatTopic(parseTopic(text));

/** The inverse of `formatTopic`. Throws `room_kind_not_found` or `invalid_name`. */
export function parseTopic(text: string): Topic {
  const colon = text.indexOf(":");
  if (text === "all") return ALL;
  return roomTopic(text.slice(0, Math.max(colon, 0)), text.slice(colon + 1));
}

/**
 * The same for text that `formatTopic` wrote: in storage, an attachment, an object's name. The name is not checked,
 * because older versions allowed some names that are refused today. Throws `room_kind_not_found`.
 */
export function writtenTopic(text: string): Topic {
  const colon = text.indexOf(":");
  if (text === "all") return ALL;
  return { kind: roomKind(text.slice(0, Math.max(colon, 0))), name: text.slice(colon + 1) };
}

/** A topic that clients may join, from its two parts. Throws `room_kind_not_found` or `invalid_name`. */
export const roomTopic = (kind: string, name: string): Topic => ({
  kind: roomKind(kind),
  name: canonicalName(name),
});

/** The same for names that hub code gives. Throws a TypeError for what is no string, such as the number of an order. */
export function topicOfCode(kind: string, name: string): Topic {
  if (typeof name !== "string")
    throw new TypeError(`The name of a room or user is a string, not ${typeof name}.`);
  return roomTopic(kind, name);
}

function roomKind(kind: string): RoomKind {
  if (!isRoomKind(kind))
    throw new HubError("room_kind_not_found", "A room begins with its kind: group:lobby.");
  return kind;
}

export const MAX_NAME_LENGTH = 128;
// No name, control characters and, by the flag `u`, lone surrogates: React Native's engine has no `isWellFormed` [CP2].
// oxlint-disable-next-line no-control-regex -- control characters are what this refuses
const REFUSED = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\ud800-\udfff]|^\.{0,2}$/u;

/**
 * The canonical name of a room, user or tenant: NFC, 1–128 UTF-16 units, no control characters, no lone surrogates,
 * case-sensitive. Neither `.` nor `..`: URL parsers remove these segments from paths, percent-encoded or not, so that
 * REST would address something else. Throws `invalid_name`.
 */
export function canonicalName(raw: string): string {
  // NFC makes one unit of four at most (U+1F82): more is too long in any case, and is not normalized, since engines sort
  // combining marks in the square of their number, 0.2 s for a frame of 32 KB.
  const name = raw.slice(0, 4 * MAX_NAME_LENGTH + 1).normalize("NFC");
  if (name.length > MAX_NAME_LENGTH || REFUSED.test(name))
    throw new HubError(
      "invalid_name",
      `A name has 1–${MAX_NAME_LENGTH} characters, no control characters, and is not . or ..`,
    );
  return name;
}

/** Whether a value from the wire may be a name: of a method, a stream, an invocation. */
export const isName = (value: unknown): value is string =>
  typeof value === "string" && value.length > 0 && value.length <= MAX_NAME_LENGTH;

/** A place in a room's log. Offsets rise by one within an epoch; positions of two epochs are not comparable. */
export interface Position {
  readonly epoch: string;
  /** The number of the last message received; 0 is the start of the log. */
  readonly offset: number;
}

/** `epoch:offset`: opaque to clients, and stable on the wire and in storage. */
export const formatPosition = ({ epoch, offset }: Position): string => `${epoch}:${offset}`;

/** An epoch of 1–32 base36 digits, and an offset below 10¹⁵ (a safe integer) without leading zeros. */
const POSITION = /^([\da-z]{1,32}):(0|[1-9]\d{0,14})$/;

/** Reads `epoch:offset`. Throws `invalid_position`. */
export function parsePosition(text: string): Position {
  const match = POSITION.exec(text);
  if (!match) throw new HubError("invalid_position", "A position is epoch:offset, as in messages.");
  return { epoch: match[1]!, offset: Number(match[2]) };
}

/** Nine random base36 characters from 64 random bits. */
export function randomEpoch(
  bits: BigUint64Array = crypto.getRandomValues(new BigUint64Array(1)),
): string {
  return (bits[0] ?? 0n).toString(36).padStart(9, "0").slice(-9);
}

/**
 * Whether a position comes after another of the same room. Across epochs the answer is true: the log was rebuilt, so
 * nothing of the new one has been received. Throws `invalid_position`.
 */
export function isAfter(position: string, received: string | undefined): boolean {
  const a = parsePosition(position);
  if (received === undefined) return true;
  const b = parsePosition(received);
  return a.epoch !== b.epoch || a.offset > b.offset;
}
