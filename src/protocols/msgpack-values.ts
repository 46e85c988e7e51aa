// Values of MessagePack both ways: times with all their digits, whole numbers of 64 bits, and maps whose keys are whole
// numbers. Messages are made of them in decode-signalr-msgpack.ts and signalr-msgpack.ts.

import {
  decode,
  decodeTimestampToTimeSpec,
  encode,
  Encoder,
  encodeTimeSpecToTimestamp,
  EXT_TIMESTAMP,
  type DecoderOptions,
  type EncoderOptions,
  type ExtensionCodecType,
} from "@msgpack/msgpack";
import { concat } from "./bytes.ts";
import { dateOf, timeSpecOf } from "./exact-date.ts";
import { extensionsOf, itemsOf } from "./hostile-msgpack.ts";
import { wireObjects } from "./wire-objects.ts";

/** Stands for a value that cannot be read. */
export const UNREADABLE: unique symbol = Symbol("unreadable");

/** The items of a message; undefined where it is no value at all. Items that cannot be read are `UNREADABLE`. */
export function decodeItems(payload: Uint8Array): unknown {
  try {
    return ownValue(decode(payload, PLAIN));
  } catch {
    // A DecodeError or a RangeError, as decodeItem throws.
    return itemsOf(payload)?.map(decodeItem);
  }
}

/** One value alone, with all its digits; `UNREADABLE` where it cannot be read. */
export function decodeExactly(bytes: Uint8Array): unknown {
  try {
    return ownValue(decode(bytes, PLAIN));
  } catch {
    return decodeItem(bytes);
  }
}

/** One item, which may have maps whose keys are no texts. */
function decodeItem(item: Uint8Array): unknown {
  try {
    return ownValue(taggedMaps(decode(item, TAGGED)));
  } catch {
    // A DecodeError or a RangeError: keys that are neither texts nor whole numbers, the key __proto__, extensions of
    // applications, and times beyond those of Date.
    return UNREADABLE;
  }
}

const MAP_EXTENSION = 127;

const EXTENSIONS: ExtensionCodecType<undefined> = {
  decode(data, type) {
    if (type !== EXT_TIMESTAMP) throw new RangeError(`The extension ${type} is not known.`);
    return dateOf(decodeTimestampToTimeSpec(data));
  },
  /** Maps pass as an extension; `packValue` takes them out of it again. */
  tryToEncode(value) {
    if (value instanceof Date)
      return { type: EXT_TIMESTAMP, data: encodeTimeSpecToTimestamp(timeSpecOf(value)) };
    return value instanceof Map ? { type: MAP_EXTENSION, data: mapBytes(value) } : null;
  },
};

const PLAIN: DecoderOptions = {
  extensionCodec: EXTENSIONS,
  useBigInt64: true,
  mapKeyConverter: textKey,
  // The library's key cache is shared by all connections of the isolate, and keeps what the first one made of
  // ill-formed UTF-8.
  keyDecoder: null,
};

/** The decoder itself refuses `__proto__`. */
function textKey(key: unknown): string {
  if (typeof key === "string") return key;
  throw new RangeError("A key is a string.");
}

/** Keys with their type before them. */
const TAGGED: DecoderOptions = {
  ...PLAIN,
  mapKeyConverter(key) {
    if (typeof key === "string") return `s${key}`;
    if (Number.isSafeInteger(key) || typeof key === "bigint") return `n${String(key)}`;
    throw new RangeError("A key is a string or a whole number.");
  },
};

/** Objects with tagged keys become objects, or a `Map` where a key is a number. */
function taggedMaps(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(taggedMaps);
  if (typeof value !== "object" || value === null || !isPlain(value)) return value;
  const members = Object.entries(value).map(([key, held]) => [key, taggedMaps(held)] as const);
  if (members.every(([key]) => key.startsWith("s")))
    return Object.fromEntries(members.map(([key, held]) => [key.slice(1), held]));
  return new Map(members.map(([key, held]) => [untagged(key), held]));
}

const untagged = (key: string): unknown =>
  key.startsWith("s") ? key.slice(1) : wholeNumber(BigInt(key.slice(1)));

/** A number while it is exact. */
export function wholeNumber(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

const isPlain = (value: object): boolean =>
  !(value instanceof Uint8Array || value instanceof Date || value instanceof Map);

/**
 * The value with numbers in place of bigints where they are exact, and copies in place of views of the frame: a view
 * would keep the whole frame alive, and expose it as `.buffer`. In place.
 */
function ownValue(value: unknown): unknown {
  if (typeof value === "bigint") return wholeNumber(value);
  if (typeof value !== "object" || value === null || value instanceof Date) return value;
  if (value instanceof Uint8Array) return value.slice();
  if (value instanceof Map) {
    for (const [key, held] of value) value.set(key, ownValue(held));
    return value;
  }
  const holder = value as Record<string, unknown>;
  if (!Array.isArray(value)) wireObjects.add(value);
  for (const key of Object.keys(holder)) {
    const held = holder[key];
    if ((typeof held === "object" && held !== null) || typeof held === "bigint")
      holder[key] = ownValue(held);
  }
  return holder;
}

/**
 * A value of `MsgpackMembers` as bytes, to be copied at once. `size` is an estimate of their number; without one the
 * value may be of any size.
 */
export function packValue(value: unknown, hasMaps: boolean, size = Infinity): Uint8Array {
  // A new encoder costs a third of a short message; one that met a large value would keep its buffer.
  const packed = size <= SHARED_BYTES ? SHARED.encodeSharedRef(value) : encode(value, PACKING);
  return hasMaps ? withMaps(packed) : packed;
}

const SHARED_BYTES = 8192;

const PACKING: EncoderOptions = {
  extensionCodec: EXTENSIONS,
  useBigInt64: true,
  // Depth is limited by the stack, as in JSON.stringify: the library's default of 100 would refuse what JSON permits.
  maxDepth: Infinity,
};

const SHARED = new Encoder(PACKING);

function mapBytes(map: ReadonlyMap<unknown, unknown>): Uint8Array {
  const { size } = map;
  const head =
    size < 16
      ? [0x80 | size]
      : [0xdf, size >>> 24, (size >>> 16) & 255, (size >>> 8) & 255, size & 255];
  const entries = [...map].flat().map((part) => encode(part, PACKING));
  return concat([Uint8Array.from(head), ...entries]);
}

/** The bytes with maps in place of the extensions that stand for them. */
function withMaps(packed: Uint8Array): Uint8Array {
  const parts: Uint8Array[] = [];
  let done = 0;
  for (const { type, start, dataStart, end } of extensionsOf(packed)) {
    if (type !== MAP_EXTENSION) continue;
    parts.push(packed.subarray(done, start), withMaps(packed.subarray(dataStart, end)));
    done = end;
  }
  return concat([...parts, packed.subarray(done)]);
}
