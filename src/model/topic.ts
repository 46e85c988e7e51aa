// Topics, the names of audiences. A topic is a room of a hub: the whole hub, a group, an order channel or a user.

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

/** The inverse of `formatTopic`. Throws `room_kind_not_found` or `invalid_name`. */
export function parseTopic(text: string): Topic {
  if (text === "all") return ALL;
  const colon = text.indexOf(":");
  return roomTopic(text.slice(0, Math.max(colon, 0)), text.slice(colon + 1));
}

/** A topic that clients may join, from its two parts. Throws `room_kind_not_found` or `invalid_name`. */
export function roomTopic(kind: string, name: string): Topic {
  if (!isRoomKind(kind))
    throw new HubError("room_kind_not_found", "A room is a group, an order or a user.");
  return { kind, name: canonicalName(name) };
}

export const MAX_NAME_LENGTH = 128;
// Control characters and, by the flag `u`, lone surrogates: React Native's engine has no `isWellFormed` [CP2].
// oxlint-disable-next-line no-control-regex -- control characters are what this refuses
const REFUSED = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\ud800-\udfff]/u;

/**
 * The canonical name of a room, user or tenant: NFC, 1–128 UTF-16 units, no control characters, no lone surrogates,
 * case-sensitive. Throws `invalid_name`.
 */
export function canonicalName(raw: string): string {
  const name = raw.normalize("NFC");
  if (raw === "")
    throw new HubError("invalid_name", "A name is empty: only the room `all` has none.");
  if (name.length > MAX_NAME_LENGTH || REFUSED.test(name))
    throw new HubError(
      "invalid_name",
      `A name has 1–${MAX_NAME_LENGTH} characters and no control characters.`,
    );
  return name;
}

/** Whether a value from the wire may name something: a method, a stream, an invocation. */
export const isName = (value: unknown): value is string =>
  typeof value === "string" && value.length > 0 && value.length <= MAX_NAME_LENGTH;
