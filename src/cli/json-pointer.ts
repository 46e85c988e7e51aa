// References within a JSON Schema.

import type { JsonSchema } from "./hub-documents.ts";

/** The most references of one schema. Each is written out, so that a few nested ones can make the text huge. */
const FOLLOWED_AT_MOST = 10_000;
const followed = new WeakMap<JsonSchema, number>();

/**
 * The schema at a reference such as `#/$defs/Tree`; undefined if there is none, or if it is in another document. Throws
 * an error, whose message is a sentence, for a schema with too many references.
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

/** A key of a JSON Pointer, decoded. A key that is not percent-encoded UTF-8 is left unchanged. */
function pointed(key: string): string {
  try {
    return unescaped(decodeURIComponent(key));
  } catch {
    return unescaped(key);
  }
}

const unescaped = (key: string): string => key.replaceAll("~1", "/").replaceAll("~0", "~");
