// The structure of MessagePack, without its values. Inbound bytes are checked for false lengths and depth before values
// are built from them: linear in the bytes; memory grows with depth, never with an announced length.

import { HubError } from "../model/errors.ts";
import { tooDeep } from "./json.ts";

/** The error of a payload that is not exactly one value of at most `limit` levels. Keys are checked by the decoder. */
export function msgpackError(bytes: Uint8Array, limit: number): HubError | undefined {
  const view = viewOf(bytes);
  /** The number of values still to come in each open container; the outermost holds the message. */
  const open = [1];
  let at = 0;
  while (open.length > 0) {
    if (open.at(-1) === 0) {
      open.pop();
      continue;
    }
    open[open.length - 1]!--;
    const head = readHead(view, at);
    if (typeof head === "string") return new HubError("malformed", head);
    at += head.bytes;
    // A value has at least one byte, so that a length beyond the remaining bytes is false. Decoders would allocate it.
    if (head.children > view.byteLength - at) return new HubError("malformed", TRUNCATED);
    if (head.nests && open.push(head.children) > limit + 1) return tooDeep(limit);
  }
  return at < view.byteLength ? new HubError("malformed", "Bytes behind the message.") : undefined;
}

const TRUNCATED = "The message ends within a value.";

/** Format and size of one value, from its first bytes. */
interface Head {
  /** Size of the value without its children. */
  readonly bytes: number;
  readonly children: number;
  readonly nests: boolean;
}

/** The head of the value at `at`, or the sentence that refuses it. */
function readHead(view: DataView, at: number): Head | string {
  if (at >= view.byteLength) return TRUNCATED;
  const first = view.getUint8(at);
  const head = first < 0xc0 || first > 0xdf ? readFixed(first) : readSized(view, at, first);
  if (typeof head === "string") return head;
  return at + head.bytes > view.byteLength ? TRUNCATED : head;
}

/** Formats whose first byte has both type and length. */
function readFixed(first: number): Head {
  if (first < 0x80 || first > 0xdf) return SCALAR;
  if (first < 0x90) return container(1, (first & 0x0f) * 2);
  if (first < 0xa0) return container(1, first & 0x0f);
  return scalar(1 + (first & 0x1f));
}

/** Formats 0xc0–0xdf: the first byte, then a length of 0, 1, 2 or 4 bytes, then the content it counts. */
function readSized(view: DataView, at: number, first: number): Head | string {
  const format = FORMATS[first - 0xc0];
  if (!format) return `The byte 0x${first.toString(16)} begins no value.`;
  const { lengthBytes, bytes, counts } = format;
  if (at + 1 + lengthBytes > view.byteLength) return TRUNCATED;
  const length = readLength(view, at + 1, lengthBytes);
  if (counts === "bytes") return scalar(1 + lengthBytes + bytes + length);
  return container(1 + lengthBytes, counts === "pairs" ? length * 2 : length);
}

function readLength(view: DataView, at: number, bytes: number): number {
  if (bytes === 1) return view.getUint8(at);
  if (bytes === 2) return view.getUint16(at);
  return bytes === 4 ? view.getUint32(at) : 0;
}

const scalar = (bytes: number): Head => ({ bytes, children: 0, nests: false });

const container = (bytes: number, children: number): Head => ({ bytes, children, nests: true });

const SCALAR = scalar(1);

interface Format {
  readonly lengthBytes: 0 | 1 | 2 | 4;
  /** Content bytes in addition to those that the length counts. */
  readonly bytes: number;
  readonly counts: "bytes" | "values" | "pairs";
}

/** A format of a fixed size. */
const fixed = (bytes: number): Format => ({ lengthBytes: 0, bytes, counts: "bytes" });

/** A format whose length precedes its content. */
const sized = (lengthBytes: 1 | 2 | 4, counts: Format["counts"] = "bytes", bytes = 0): Format => ({
  lengthBytes,
  bytes,
  counts,
});

// Formats by first byte minus 0xc0: github.com/msgpack/msgpack/blob/master/spec.md#formats
// prettier-ignore
const FORMATS: readonly (Format | undefined)[] = [
  fixed(0), undefined, fixed(0), fixed(0), // nil, (never used), false, true
  sized(1), sized(2), sized(4), // bin
  sized(1, "bytes", 1), sized(2, "bytes", 1), sized(4, "bytes", 1), // ext, with its type
  fixed(4), fixed(8), // float
  fixed(1), fixed(2), fixed(4), fixed(8), // uint
  fixed(1), fixed(2), fixed(4), fixed(8), // int
  fixed(2), fixed(3), fixed(5), fixed(9), fixed(17), // fixext, with its type
  sized(1), sized(2), sized(4), // str
  sized(2, "values"), sized(4, "values"), // array
  sized(2, "pairs"), sized(4, "pairs"), // map
];

const EXT_8 = 0xc7;
const EXT_32 = 0xc9;
const FIXEXT_1 = 0xd4;
const FIXEXT_16 = 0xd8;

/** The bytes of each item of a well-formed array; undefined for other values. */
export function itemsOf(bytes: Uint8Array): Uint8Array[] | undefined {
  const view = viewOf(bytes);
  const first = view.getUint8(0);
  const isArray = (first & 0xf0) === 0x90 || first === 0xdc || first === 0xdd;
  if (!isArray) return undefined;
  const { bytes: headBytes, children } = headAt(view, 0);
  const items: Uint8Array[] = [];
  for (let at = headBytes; items.length < children;) {
    const end = endOf(view, at);
    items.push(bytes.subarray(at, end));
    at = end;
  }
  return items;
}

/** The index after the value at `at`. */
function endOf(view: DataView, at: number): number {
  let end = at;
  for (let missing = 1; missing > 0;) {
    const { bytes, children } = headAt(view, end);
    end += bytes;
    missing += children - 1;
  }
  return end;
}

/** An extension among well-formed bytes. */
interface Extension {
  readonly type: number;
  readonly start: number;
  readonly dataStart: number;
  readonly end: number;
}

/** All extensions, in their order, at any depth. */
export function* extensionsOf(bytes: Uint8Array): Iterable<Extension> {
  const view = viewOf(bytes);
  for (let start = 0; start < bytes.length;) {
    const end = start + headAt(view, start).bytes;
    const first = view.getUint8(start);
    const isSized = first >= EXT_8 && first <= EXT_32;
    const typeAt = start + 1 + (isSized ? 2 ** (first - EXT_8) : 0);
    if (isSized || (first >= FIXEXT_1 && first <= FIXEXT_16))
      yield { type: view.getInt8(typeAt), start, dataStart: typeAt + 1, end };
    start = end;
  }
}

/** The head of a value in well-formed bytes. */
function headAt(view: DataView, at: number): Head {
  const head = readHead(view, at);
  if (typeof head === "string") throw new RangeError(head);
  return head;
}

const viewOf = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
