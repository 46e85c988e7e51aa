// One SignalR hub message, however it was encoded: its members, by their names in JSON → what was said
// (docs/design/signalr-wire.md#ms3).

import { HubError } from "../model/errors.ts";
import type { Incoming, Invocation } from "../model/message.ts";
import type { Limits } from "../model/options.ts";
import { invalidData } from "./signalr-errors.ts";

export type Members = Readonly<Record<string, unknown>>;

/**
 * Clients put what they queued while busy into one frame, honest ones far more than a batch of JSON-RPC would hold,
 * and a message of SignalR's cannot be refused alone: so the limit is there only to stop floods.
 */
export const messagesAllowed = ({ messagesPerFrame }: Limits): number => messagesPerFrame * 10;

export const broken = (error: HubError): Incoming => ({ type: "broken", error });

/** Never throws. Undefined for a type of message which we do not know: later versions may have more. */
export function readHubMessage(members: unknown): Incoming | undefined {
  try {
    return read(members);
  } catch (error) {
    if (error instanceof HubError) return broken(error);
    throw error;
  }
}

function read(members: unknown): Incoming | undefined {
  if (!isObject(members)) throw invalidData(`${unexpected(members)}. Expected a JSON Object.`);
  optional(members, "headers", OBJECT);
  switch (required(members, "type", INTEGER)) {
    case 1:
      return readInvocation(members, optional(members, "invocationId", TEXT) || undefined, false);
    case 2:
      return { type: "item", stream: readId(members), item: readItem(members) };
    case 3:
      return readCompletion(members);
    case 4:
      return readInvocation(members, readId(members), true);
    case 5:
      return { type: "cancel", id: readId(members) };
    case 6:
      return { type: "ping" };
    case 7:
      return { type: "close", ...readError(members) };
    case 8:
      return { type: "ack", sequence: required(members, "sequenceId", INTEGER) };
    case 9:
      return { type: "sequence", sequence: required(members, "sequenceId", INTEGER) };
    default:
      return undefined;
  }
}

function readInvocation(members: Members, id: string | undefined, streaming: boolean): Invocation {
  const target = short("target", required(members, "target", TEXT));
  const args = required(members, "arguments", LIST);
  const streamIds = optional(members, "streamIds", LIST) ?? [];
  if (!streamIds.every(isName)) throw invalidData("A stream's id has 1–128 characters.");
  return {
    type: "invocation",
    ...(id !== undefined && { id: short("invocationId", id) }),
    target,
    args,
    streaming,
    anyCase: true,
    ...(streamIds.length > 0 && { streamIds }),
  };
}

function readCompletion(members: Members): Incoming {
  const id = readId(members);
  const { result } = members;
  const failed = readError(members);
  if (failed && result !== undefined)
    throw invalidData("The 'error' and 'result' properties are mutually exclusive.");
  return { type: "completed", id, ...(result !== undefined && { result }), ...failed };
}

/** Present, though it may be null. */
function readItem({ item }: Members): unknown {
  if (item === undefined) throw missing("item");
  return item;
}

/** Texts of the client that may reach logs and other people's errors. */
function readError(members: Members): { readonly error: string } | undefined {
  const error = optional(members, "error", TEXT);
  return error === undefined ? undefined : { error: error.slice(0, 1000) };
}

const readId = (members: Members): string =>
  short("invocationId", required(members, "invocationId", TEXT));

function short(name: string, text: string): string {
  if (!isName(text)) throw invalidData(`The property '${name}' has 1–128 characters.`);
  return text;
}

/** A kind of value, and its name in .NET's messages. */
interface Kind<Value> {
  readonly name: string;
  readonly holds: (value: unknown) => value is Value;
}

function required<Value>(members: Members, name: string, kind: Kind<Value>): Value {
  const value = optional(members, name, kind);
  if (value === undefined) throw missing(name);
  return value;
}

/** Null counts as absent: MessagePack has no other way to say so, and some JSON encoders write it. */
function optional<Value>(members: Members, name: string, kind: Kind<Value>): Value | undefined {
  const value = members[name] ?? undefined;
  if (value === undefined || kind.holds(value)) return value;
  throw invalidData(`Expected '${name}' to be of type ${kind.name}.`);
}

const missing = (name: string): HubError => invalidData(`Missing required property '${name}'.`);

/** What ASP.NET Core says of a value which is no object. */
export function unexpected(value: unknown): string {
  const name = Array.isArray(value) ? "Array" : value === null ? "Null" : typeof value;
  return `Unexpected JSON Token Type '${name.charAt(0).toUpperCase()}${name.slice(1)}'`;
}

export const isObject = (value: unknown): value is Members =>
  typeof value === "object" &&
  value !== null &&
  !Array.isArray(value) &&
  !(value instanceof Uint8Array);

const isName = (value: unknown): value is string =>
  typeof value === "string" && value.length > 0 && value.length <= 128;

const OBJECT: Kind<Members> = { name: "Object", holds: isObject };

const LIST: Kind<readonly unknown[]> = { name: "Array", holds: Array.isArray };

const TEXT: Kind<string> = {
  name: "String",
  holds: (value): value is string => typeof value === "string",
};

/** The protocol's numbers count or enumerate. */
const INTEGER: Kind<number> = {
  name: "Number",
  holds: (value): value is number => Number.isSafeInteger(value) && (value as number) >= 0,
};
