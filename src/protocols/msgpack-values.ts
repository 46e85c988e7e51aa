// Encodes and decodes values of MessagePack: times with all their digits, whole numbers of 64 bits, and maps whose keys
// are whole numbers. Messages are handled by decode-signalr-msgpack.ts and signalr-msgpack.ts.

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
import { extensionsOf, itemsOf, msgpackError } from "./hostile-msgpack.ts";
import { wireObjects } from "./wire-objects.ts";

/** Stands for a value that cannot be read. */
export const UNREADABLE: unique symbol = Symbol("unreadable");

/** The most items that any message has. Further ones are not read (docs/design/signalr-wire.md#ms5). */
const MOST_ITEMS = 6;

/** Few of them, because decoding one by one costs microseconds for each, and a frame has room for 32,000. */
const firstItems = (payload: Uint8Array): Uint8Array[] | undefined =>
  itemsOf(payload)?.slice(0, MOST_ITEMS);

/**
 * The value of a message, an array of items; undefined if it cannot be read. Unreadable items are `UNREADABLE`, and
 * those behind the first `MOST_ITEMS` may be absent.
 */
export function decodeItems(payload: Uint8Array): unknown {
  try {
    return ownValue(decode(payload, PLAIN));
  } catch {
    // A DecodeError or a RangeError, as in decodeItem: the items are then decoded one by one.
    return firstItems(payload)?.map(decodeItem);
  }
}

/**
 * The same for a message that has more levels than `depth`: items that are too deep are `UNREADABLE`. Undefined also if
 * the bytes behind them are not well-formed.
 */
export function decodeShallowItems(payload: Uint8Array, depth: number): unknown {
  try {
    return firstItems(payload)?.map((item) =>
      msgpackError(item, depth - 1) ? UNREADABLE : decodeExactly(item),
    );
  } catch {
    // A RangeError of itemsOf.
    return undefined;
  }
}

/** A single value, with all its digits; `UNREADABLE` if it cannot be read. */
export function decodeExactly(bytes: Uint8Array): unknown {
  try {
    return ownValue(decode(bytes, PLAIN));
  } catch {
    return decodeItem(bytes);
  }
}

/** One item, which may have maps whose keys are not texts. */
function decodeItem(item: Uint8Array): unknown {
  try {
    return ownValue(taggedMaps(decode(item, TAGGED)));
  } catch {
    // A DecodeError or a RangeError: keys that are neither texts nor whole numbers, the key __proto__, extensions of
    // applications, and times beyond the range of Date.
    return UNREADABLE;
  }
}

const MAP_EXTENSION = 127;

const EXTENSIONS: ExtensionCodecType<undefined> = {
  decode(data, type) {
    if (type !== EXT_TIMESTAMP) throw new RangeError(`The extension ${type} is not known.`);
    return dateOf(decodeTimestampToTimeSpec(data));
  },
  /** Maps are first written as an extension; `packValue` replaces that with the map itself. */
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
  // No key cache: the library's is shared by all connections of the isolate, and would reuse one connection's reading
  // of ill-formed UTF-8 for others.
  keyDecoder: null,
};

/** The decoder itself refuses `__proto__`. */
function textKey(key: unknown): string {
  if (typeof key === "string") return key;
  throw new RangeError("A key is a string.");
}

/** Decodes keys to texts with their type in front. */
const TAGGED: DecoderOptions = {
  ...PLAIN,
  mapKeyConverter(key) {
    if (typeof key === "string") return `s${key}`;
    if (Number.isSafeInteger(key) || typeof key === "bigint") return `n${String(key)}`;
    throw new RangeError("A key is a string or a whole number.");
  },
};

/** Objects with tagged keys become objects, or a `Map` if a key is a number. */
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

/** As a number if that is exact, else as a bigint. */
export function wholeNumber(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

const isPlain = (value: object): boolean =>
  !(value instanceof Uint8Array || value instanceof Date || value instanceof Map);

/**
 * Changes the value in place: bigints become numbers if those are exact, and views of the frame become copies, because
 * a view would keep the whole frame in memory, and expose it as `.buffer`.
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
 * Encodes a value of `MsgpackMembers`. The caller must copy the bytes at once, since the buffer is reused. `size`: the
 * estimated number of bytes; absent: any size.
 */
export function packValue(value: unknown, hasMaps: boolean, size = Infinity): Uint8Array {
  // A new encoder costs a third of a short message; the shared one would keep the buffer of a large value.
  const packed = size <= SHARED_BYTES ? SHARED.encodeSharedRef(value) : encode(value, PACKING);
  return hasMaps ? withMaps(packed) : packed;
}

const SHARED_BYTES = 8192;

const PACKING: EncoderOptions = {
  extensionCodec: EXTENSIONS,
  useBigInt64: true,
  // Only the stack limits the depth, as in JSON.stringify: the library's default of 100 would refuse valid values.
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

/** The bytes with the extensions that stand for maps replaced by those maps. */
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
