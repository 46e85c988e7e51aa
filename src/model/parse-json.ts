// JSON text → values, for callers that answer malformed text instead of throwing.

/** The members of a JSON object, not validated yet. */
export type Members = Readonly<Record<string, unknown>>;

/** The value, or undefined where the text is not JSON. No JSON text means undefined. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // A SyntaxError, the only thing that JSON.parse throws.
  }
}

/** Whether a decoded value is an object with members: no null, no array, and no bytes of MessagePack. */
export const isJsonObject = (value: unknown): value is Members =>
  typeof value === "object" &&
  value !== null &&
  !Array.isArray(value) &&
  !(value instanceof Uint8Array);
