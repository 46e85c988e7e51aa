// Values that yield others one by one. JSON would write them as `{}`: so they are either read or refused.

export const isAsyncIterable = (value: unknown): value is AsyncIterable<unknown> =>
  typeof value === "object" && value !== null && Symbol.asyncIterator in value;

/**
 * Whether a value is an iterator, such as a generator's, or an async iterable, such as a `ReadableStream`; false for
 * lists and maps.
 */
export const givesItems = (value: unknown): value is GivesItems =>
  isAsyncIterable(value) || isIterator(value);

/** The type of such values. */
export type GivesItems = AsyncIterable<unknown> | Iterator<unknown, unknown, never>;

const isIterator = (value: unknown): value is Iterator<unknown> =>
  typeof value === "object" &&
  value !== null &&
  Symbol.iterator in value &&
  typeof (value as { next?: unknown }).next === "function";
