// References within a JSON Schema.

import type { JsonSchema } from "./hub-documents.ts";

/** References of one schema that are followed. Each is written out, so that a few can double a text many times. */
const FOLLOWED_AT_MOST = 10_000;
const followed = new WeakMap<JsonSchema, number>();

/**
 * The schema at a reference such as `#/$defs/Tree`; undefined where there is none, or none of this document. Throws an
 * error with a sentence for a schema that refers without end.
 */
export function resolvePointer(root: JsonSchema, reference: string): JsonSchema | undefined {
  const count = (followed.get(root) ?? 0) + 1;
  if (count > FOLLOWED_AT_MOST)
    throw new Error(`A schema has more than ${FOLLOWED_AT_MOST} references, one within another.`);
  followed.set(root, count);
  const keys = reference.startsWith("#") ? reference.split("/").slice(1) : [""];
  const target = keys.reduce<unknown>(
    (held, key) => (held as Record<string, unknown> | undefined)?.[pointed(key)],
    root,
  );
  return typeof target === "object" && target !== null ? (target as JsonSchema) : undefined;
}

/** A key of a JSON Pointer. One that is no percent-encoded UTF-8 is taken as it is. */
function pointed(key: string): string {
  try {
    return unescaped(decodeURIComponent(key));
  } catch {
    return unescaped(key);
  }
}

const unescaped = (key: string): string => key.replaceAll("~1", "/").replaceAll("~0", "~");
