// Reads one SignalR hub message from its members, whatever its encoding (HubProtocol.md in dotnet/aspnetcore). Errors
// have the texts of ASP.NET Core (docs/design/signalr-wire.md#ms3).

import { HubError, errorText } from "../model/errors.ts";
import type { Incoming, Invocation } from "../model/message.ts";
import type { Limits } from "../model/options.ts";
import { isJsonObject, type Members } from "./json.ts";
import { invalidData } from "./signalr-errors.ts";

/**
 * Messages allowed in one frame. Clients send everything they have queued in one frame, more than a batch of JSON-RPC
 * would hold, and a single SignalR message cannot be refused: so the limit only stops floods.
 */
export const maxMessagesPerFrame = ({ messagesPerFrame }: Limits): number => messagesPerFrame * 10;

/** SignalR cannot refuse a single message: an unreadable one ends the connection. */
export const brokenMessage = (error: HubError): Incoming => ({ type: "broken", error });

/**
 * The message. Never throws; undefined for an unknown type, which a later version may have added. `unreadable`: why its
 * arguments, item or result cannot be read; they are dropped then, and only the call fails, not the connection.
 */
export function readHubMessage(members: unknown, unreadable?: HubError): Incoming | undefined {
  try {
    return read(members, unreadable);
  } catch (error) {
    if (error instanceof HubError) return brokenMessage(error);
    throw error;
  }
}

function read(members: unknown, unreadable: HubError | undefined): Incoming | undefined {
  if (!isJsonObject(members))
    throw invalidData(`${unexpectedToken(members)}. Expected a JSON Object.`);
  readOptional(members, "headers", OBJECT);
  switch (readRequired(members, "type", INTEGER)) {
    case 1:
      return readInvocation(members, { unreadable, streaming: false });
    case 2:
      return unreadable
        ? { type: "end", stream: readId(members), error: "Failed to bind Stream message." }
        : { type: "item", stream: readId(members), item: readItem(members) };
    case 3:
      return unreadable
        ? { type: "completed", id: readId(members), error: "Error trying to deserialize result." }
        : readCompletion(members);
    case 4:
      return readInvocation(members, { unreadable, streaming: true });
    case 5:
      return { type: "cancel", id: readId(members) };
    case 6:
      return { type: "ping" };
    case 7:
      return { type: "close", ...readError(members) };
    case 8:
      return { type: "ack", sequence: readRequired(members, "sequenceId", INTEGER) };
    case 9:
      return { type: "sequence", sequence: readRequired(members, "sequenceId", INTEGER) };
    default:
      return undefined;
  }
}

interface Call {
  readonly unreadable: HubError | undefined;
  /** Whether the client expects items. */
  readonly streaming: boolean;
}

/** Types 1 and 4. */
function readInvocation(members: Members, { unreadable, streaming }: Call): Invocation {
  const id = streaming ? readId(members) : readOptional(members, "invocationId", TEXT) || undefined;
  const target = readRequired(members, "target", TEXT);
  const args = readRequired(members, "arguments", LIST);
  const streamIds = readOptional(members, "streamIds", LIST) ?? [];
  if (!streamIds.every(TEXT.holds)) throw invalidData("Expected 'streamIds' to be of type String.");
  return {
    type: "invocation",
    ...(id !== undefined && { id }),
    target,
    args: unreadable ? [] : args,
    streaming,
    anyCase: true,
    ...(unreadable && { unreadable }),
    ...(streamIds.length > 0 && { streamIds }),
  };
}

/**
 * Type 3: the end of a client stream, or the client's answer. `error` and `result` exclude each other. Some clients
 * write a null for the one that is absent.
 */
function readCompletion(members: Members): Incoming {
  const id = readId(members);
  const { result } = members;
  const failure = readError(members);
  if (failure && (result ?? undefined) !== undefined)
    throw invalidData("The 'error' and 'result' properties are mutually exclusive.");
  return { type: "completed", id, ...(failure ?? (result !== undefined && { result })) };
}

/** The item is required, but may be null. */
function readItem({ item }: Members): unknown {
  if (item === undefined) throw missingProperty("item");
  return item;
}

function readError(members: Members): { readonly error: string } | undefined {
  const error = readOptional(members, "error", TEXT);
  return error === undefined ? undefined : { error: errorText(error) };
}

/** An invocation's id. As in ASP.NET Core, only the size of the message limits its length. */
function readId(members: Members): string {
  const id = readRequired(members, "invocationId", TEXT);
  if (id === "") throw missingProperty("invocationId");
  return id;
}

/** A type of value, with its name in .NET's messages. */
interface ValueType<Value> {
  readonly name: string;
  readonly holds: (value: unknown) => value is Value;
}

/** Throws `malformed` if the member is absent or of another type. */
function readRequired<Value>(members: Members, name: string, type: ValueType<Value>): Value {
  const value = readOptional(members, name, type);
  if (value === undefined) throw missingProperty(name);
  return value;
}

/** Null counts as absent: MessagePack has no absent items, and some JSON encoders write null. */
function readOptional<Value>(
  members: Members,
  name: string,
  type: ValueType<Value>,
): Value | undefined {
  const value = members[name] ?? undefined;
  if (value === undefined || type.holds(value)) return value;
  throw invalidData(`Expected '${name}' to be of type ${type.name}.`);
}

const missingProperty = (name: string): HubError =>
  invalidData(`Missing required property '${name}'.`);

/** ASP.NET Core's text for a value that is not an object. */
export function unexpectedToken(value: unknown): string {
  const name = Array.isArray(value) ? "Array" : value === null ? "Null" : typeof value;
  return `Unexpected JSON Token Type '${name.charAt(0).toUpperCase()}${name.slice(1)}'`;
}

const OBJECT: ValueType<Members> = { name: "Object", holds: isJsonObject };

const LIST: ValueType<readonly unknown[]> = { name: "Array", holds: Array.isArray };

const TEXT: ValueType<string> = {
  name: "String",
  holds: (value): value is string => typeof value === "string",
};

/** Numbers of the protocol count or enumerate: integers from 0. */
const INTEGER: ValueType<number> = {
  name: "Number",
  holds: (value): value is number => Number.isSafeInteger(value) && (value as number) >= 0,
};
