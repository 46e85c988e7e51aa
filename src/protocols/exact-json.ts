// JSON text → values without a loss of digits: whole numbers that a JavaScript number cannot hold become a bigint.

/** `parseJson` for texts that `scanJson` finds lossy. Undefined where the text is not JSON. */
export function parseExactJson(text: string): unknown {
  try {
    return JSON.parse(text, exactNumber);
  } catch {
    return undefined; // A SyntaxError, the only thing that JSON.parse throws.
  }
}

/** As .NET reads an `int`: a number that is not written as digits alone, or has more than 32 bits, is NaN. */
export function parseWithInts(text: string): unknown {
  try {
    return JSON.parse(text, intOrNaN);
  } catch {
    return undefined; // A SyntaxError, the only thing that JSON.parse throws.
  }
}

function intOrNaN(_key: string, value: unknown, { source = "" }: Source = {}): unknown {
  if (typeof value !== "number") return value;
  return WHOLE.test(source) && Math.trunc(value) === (value | 0) ? value : NaN;
}

/** The arguments of a publication, whose text is our own: whole numbers of 64 bits that are not safe are bigints. */
export const parseParams = (params: string): unknown[] =>
  JSON.parse(params, /\d{16}/.test(params) ? exactInteger : undefined) as unknown[];

interface Source {
  /** The text of a primitive value. */
  readonly source?: string;
}

const WHOLE = /^-?\d+$/;

/** A whole number stays a number where it prints the digits it was read from, as large doubles of clients do. */
function exactNumber(_key: string, value: unknown, { source = "" }: Source = {}): unknown {
  if (typeof value !== "number" || Number.isSafeInteger(value) || !WHOLE.test(source)) return value;
  return String(value) === source ? value : BigInt(source);
}

function exactInteger(_key: string, value: unknown, { source = "" }: Source = {}): unknown {
  if (typeof value !== "number" || Number.isSafeInteger(value) || !WHOLE.test(source)) return value;
  const whole = BigInt(source);
  return is64Bit(whole) ? whole : value;
}

/** Whether a whole number is within int64 or uint64, all that .NET and MessagePack have. */
export const is64Bit = (value: bigint): boolean => value >= -(2n ** 63n) && value < 2n ** 64n;

/** Whether a value has a number beyond those of doubles: `JSON.parse` makes Infinity of `1e400`. */
export function hasOverflow(value: unknown): boolean {
  if (typeof value === "number") return value === Infinity || value === -Infinity;
  if (typeof value !== "object" || value === null) return false;
  return Object.values(value).some(hasOverflow);
}
