// The forms of one value that ASP.NET Core would bind: a type of .NET has one form in JSON and another in MessagePack,
// and a schema accepts one of them. No conversion loses a digit. JSON-RPC has few: whole numbers to bigints, because
// large ones are bigints already, and texts to times and bytes, which our client sends as text.

import { parseTime } from "../../protocols/exact-date.ts";
import { toJson } from "../../protocols/json.ts";
import type { Protocol } from "../../protocols/protocol.ts";

/** `either`: a client of MessagePack whose values may have been converted to JSON on their way. */
export type Binding = Protocol["binding"] | "either";

/** Other forms of a value, the most likely first; may be empty. */
export function formsOf(value: unknown, binding: Binding): readonly unknown[] {
  if (binding === "json-rpc" && typeof value !== "string") return jsonRpcForms(value);
  switch (typeof value) {
    case "string":
      return formsOfText(value, binding === "json-rpc" ? "json" : binding);
    case "number":
      return WHOLE.test(String(value)) ? [BigInt(String(value))] : [];
    case "bigint":
      return String(Number(value)) === String(value) ? [Number(value)] : [];
    case "object":
      return formsOfObject(value, binding);
    default:
      return [];
  }
}

const WHOLE = /^-?\d+$/;

const bigintOf = (leaf: unknown): unknown =>
  typeof leaf === "number" && WHOLE.test(String(leaf)) ? BigInt(String(leaf)) : leaf;

const timeOf = (leaf: unknown): unknown =>
  typeof leaf === "string" ? (parseTime(leaf) ?? leaf) : leaf;

const timeOrBytesOf = (leaf: unknown): unknown =>
  typeof leaf === "string" ? (formsOfText(leaf, "json")[0] ?? leaf) : leaf;

/**
 * Changes all leaves, because a union of schemas has one issue for the whole. Bytes are last: many words are base64.
 */
const jsonRpcForms = (value: unknown): readonly unknown[] =>
  [bigintOf, timeOf, timeOrBytesOf]
    .map((change) => mapped(value, change))
    .filter((form) => form !== value);

/** For null the form is undefined: clients send null for an argument that they leave out. */
function formsOfObject(value: object | null, binding: Binding): readonly unknown[] {
  if (value === null) return [undefined];
  if (!isContainer(value)) return [simple(value)];
  const leaves = (at: number) => mapped(value, (leaf) => formsOf(leaf, binding).at(at) ?? leaf);
  // JSON has nothing to simplify.
  const forms = [mapped(value, binding === "json" ? timeOf : simple), leaves(0)];
  // Digits of a decimal may be those of bytes.
  if (binding === "either") forms.push(leaves(-1));
  const changed = forms.filter((form) => form !== value);
  return Array.isArray(value) ? changed : [...changed, mapOf(value)];
}

/** Whether the value is an array or a plain object, whose forms are made of those of its content. */
export const isContainer = (value: unknown): value is unknown[] | Record<string, unknown> =>
  Array.isArray(value) ||
  (typeof value === "object" &&
    value !== null &&
    Object.getPrototypeOf(value) === Object.prototype);

/** The JSON form of a value of MessagePack. */
function simple(value: unknown): unknown {
  if (value instanceof Date) return value.toISOString();
  if (value instanceof Uint8Array) return JSON.parse(toJson(value)) as string;
  if (value instanceof Map) return Object.fromEntries(value);
  return value;
}

/** Changes the leaves of a value; members that become undefined are left out. The same value if no leaf changes. */
function mapped(value: unknown, change: (leaf: unknown) => unknown): unknown {
  if (!isContainer(value)) return change(value);
  const entries = Object.entries(value);
  const changed = entries.map(([key, held]) => [key, mapped(held, change)] as const);
  if (changed.every(([, held], index) => held === entries[index]![1])) return value;
  if (Array.isArray(value)) return changed.map(([, held]) => held);
  return Object.fromEntries(changed.filter(([, held]) => held !== undefined));
}

/** A record as a map, for a schema of maps; keys that are all whole numbers become numbers. */
function mapOf(value: Record<string, unknown>): Map<unknown, unknown> {
  const entries = Object.entries(value);
  const isNumeric = entries.every(([key]) => Number.isSafeInteger(Number(key)) && WHOLE.test(key));
  return new Map(entries.map(([key, held]) => [isNumeric ? Number(key) : key, held]));
}

/** In MessagePack a text may be a `decimal`; in JSON it may be a time, or bytes. */
function formsOfText(text: string, binding: Binding): readonly unknown[] {
  const forms = [
    ...(binding === "json" ? [] : [decimalOf(text)]),
    ...(binding === "msgpack" ? [] : [parseTime(text), bytesOf(text)]),
  ];
  return forms.filter((form) => form !== undefined);
}

/** A `decimal` has 29 digits at most; a longer text would be costly to convert. */
const DECIMAL = /^-?\d{1,29}(?:\.\d{1,28})?$/;

/** The number of a decimal; undefined if a double would not print the same digits. */
function decimalOf(text: string): number | undefined {
  if (!DECIMAL.test(text)) return undefined;
  const digits = text.includes(".") ? text.replace(/\.?0+$/, "") : text;
  const number = Number(text);
  return String(number) === digits || (number === 0 && /^-?0$/.test(digits)) ? number : undefined;
}

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

const bytesOf = (text: string): Uint8Array | undefined =>
  BASE64.test(text) ? Uint8Array.from(atob(text), (unit) => unit.charCodeAt(0)) : undefined;
