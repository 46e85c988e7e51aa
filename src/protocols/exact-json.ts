// JSON text → values without a loss of digits: whole numbers that a JavaScript number cannot hold become bigints, and
// numbers out of the range of doubles are found. Values of callers → text, or an error for values that JSON cannot
// represent.

import { HubError, serverError } from "../model/errors.ts";
import type { Params } from "../model/message.ts";
import { encodeParams, is64Bit, parseJson } from "./json.ts";

/** `parseJson` for texts that `scanJson` finds lossy. Undefined if the text is not JSON. */
export const parseExactJson = (text: string): unknown =>
  parseJson(text, LONG.test(text) ? exactNumber : undefined);

/** Parses the server's own text, such as a room's record: whole numbers of 64 bits that are not safe become bigints. */
export const parseOwnJson = (text: string): unknown =>
  JSON.parse(text, LONG.test(text) ? exactInteger : undefined);

/**
 * The same for hub code, which computes with numbers: as in texts of clients, a whole number that prints the same
 * digits as the text stays a number.
 */
export const parseForCode = (text: string): unknown =>
  JSON.parse(text, LONG.test(text) ? exactNumber : undefined);

/** Only such a text needs a reviver, which takes ten times as long. */
const LONG = /\d{16}/;

/** The most digits of a whole number: to convert it takes time by their square. Beyond it counts as infinite. */
const DIGITS_AT_MOST = 10_000;

/** The arguments of a publication. */
export const parseParams = (params: string): unknown[] => parseOwnJson(params) as unknown[];

/** The same for hub code. */
export const paramsForCode = (params: string): unknown[] => parseForCode(params) as unknown[];

/**
 * `encodeParams` for arguments of callers. Throws `invalid_arguments`, as a server error, for values that JSON cannot
 * represent.
 */
export function encodeGivenParams(args: readonly unknown[]): Params {
  try {
    return encodeParams(args);
  } catch (error) {
    throw serverError("invalid_arguments", (error as Error).message);
  }
}

/** Parses numbers like .NET's `int`: one that is not written only as digits, or has more than 32 bits, becomes NaN. */
export const parseWithInts = (text: string): unknown => parseJson(text, intOrNaN);

function intOrNaN(_key: string, value: unknown, { source = "" }: Source = {}): unknown {
  if (typeof value !== "number") return value;
  return WHOLE.test(source) && Math.trunc(value) === (value | 0) ? value : NaN;
}

interface Source {
  /** The text of a primitive value. */
  readonly source?: string;
}

const WHOLE = /^-?\d+$/;

/** A whole number stays a number if it prints the same digits as the text, like large doubles of clients. */
function exactNumber(_key: string, value: unknown, { source = "" }: Source = {}): unknown {
  if (typeof value !== "number" || Number.isSafeInteger(value) || !WHOLE.test(source)) return value;
  const isLong = source.length > DIGITS_AT_MOST;
  return isLong || String(value) === source ? value : BigInt(source);
}

function exactInteger(_key: string, value: unknown, { source = "" }: Source = {}): unknown {
  if (typeof value !== "number" || Number.isSafeInteger(value) || !WHOLE.test(source)) return value;
  const whole = BigInt(source);
  return is64Bit(whole) ? whole : value;
}

/**
 * The path to a number out of the range of doubles, which `JSON.parse` reads as infinity (`1e400`); undefined if there
 * is none.
 */
export function overflowIn(value: unknown): readonly string[] | undefined {
  if (typeof value === "number") return value === Infinity || value === -Infinity ? [] : undefined;
  if (typeof value !== "object" || value === null) return undefined;
  for (const [key, member] of Object.entries(value)) {
    const rest = overflowIn(member);
    if (rest) return [key, ...rest];
  }
  return undefined;
}

export const BEYOND_DOUBLES = "A number is beyond those of 64-bit floating point.";

/** Why the arguments are refused: `Argument 2 (a.b): …`. Undefined if they are accepted. */
export function argumentOverflow(args: readonly unknown[]): HubError | undefined {
  const [index, ...path] = overflowIn(args) ?? [];
  if (index === undefined) return undefined;
  const where = path.length > 0 ? ` (${path.join(".").slice(0, 300)})` : "";
  const sentence = `Argument ${Number(index) + 1}${where}: ${BEYOND_DOUBLES}`;
  return new HubError("invalid_arguments", sentence);
}

/** Whether a value has a bigint: a whole number that a JavaScript number cannot hold. */
export function hasBigint(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return typeof value === "bigint";
  return Object.values(value).some(hasBigint);
}
