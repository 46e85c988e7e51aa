// Values of hub code → values that MessagePack can write: the same as `JSON.stringify` would write, except for values
// that only MessagePack has (bytes, times, 64 bits, NaN, keys that are numbers), and with the keys that .NET expects.

import { asBytes, isBytes } from "./bytes.ts";
import { check64Bit, prototypeKeyError } from "./json.ts";
import { hasToJson } from "./places.ts";
import { wireObjects } from "./wire-objects.ts";

/** How keys of records are spelled: like members of C# classes, or as in hub code. */
export type MessagePackKeys = "pascal" | "verbatim";

/** Converts the values of one message. */
export class MsgpackMembers {
  readonly #keys: MessagePackKeys;
  /** Whether a value had a `Map`. */
  hasMaps = false;

  constructor(keys: MessagePackKeys = "verbatim") {
    this.#keys = keys;
  }

  /** Throws a TypeError for a whole number beyond 64 bits and for the key `__proto__`. */
  convert(value: unknown): unknown {
    if (typeof value === "string") return value;
    if (typeof value === "number") return isLong(value) ? BigInt(value) : value;
    if (isBytes(value)) return asBytes(value);
    if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value;
    if (value instanceof Map) return this.#map(value);
    const json = hasToJson(value) ? value.toJSON("") : value;
    if (typeof json === "bigint") return whole(json);
    if (typeof json === "function" || typeof json === "symbol") return undefined;
    if (typeof json !== "object" || json === null) return json;
    return Array.isArray(json) ? json.map((item) => this.convert(item)) : this.#object(json);
  }

  #map(map: ReadonlyMap<unknown, unknown>): Map<unknown, unknown> {
    this.hasMaps = true;
    return new Map([...map].map(([key, value]) => [mapKey(key), this.convert(value) ?? null]));
  }

  /** Undefined members are omitted, as in JSON. */
  #object(value: object): object {
    const keys = Object.keys(value);
    const isPascal = this.#keys === "pascal" && !wireObjects.has(value) && isRecord(keys);
    const name = isPascal ? pascal : verbatim;
    const object: Record<string, unknown> = {};
    for (const key of keys) {
      if (key === "__proto__") throw prototypeKeyError();
      const member = this.convert((value as Record<string, unknown>)[key]);
      if (member !== undefined) object[name(key)] = member;
    }
    return object;
  }
}

/** Converted to bigint, because the library would otherwise write numbers of more than 32 bits as doubles. */
const isLong = (value: number): boolean =>
  (value > 0xffff_ffff || value < -0x8000_0000) && Number.isSafeInteger(value);

function whole(value: bigint): bigint {
  check64Bit(value);
  return value;
}

/** Keys are texts or whole numbers; others are converted by `String`. */
function mapKey(key: unknown): unknown {
  if (typeof key === "bigint") return whole(key);
  return Number.isSafeInteger(key) ? key : String(key);
}

const MEMBER = /^[A-Za-z][A-Za-z0-9]*$/;

/**
 * Whether an object is a record, judged by its keys: all could be names of C# members, and remain different in
 * PascalCase. Other objects are dictionaries (`{"user-1": 3}`), whose keys are data.
 */
function isRecord(keys: readonly string[]): boolean {
  const all = new Set(keys);
  return keys.every((key) => MEMBER.test(key) && (pascal(key) === key || !all.has(pascal(key))));
}

const pascal = (key: string): string => key.charAt(0).toUpperCase() + key.slice(1);

const verbatim = (key: string): string => key;
