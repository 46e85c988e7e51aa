// A hash of texts, to spread them over objects and to name them.

/**
 * FNV-1a over UTF-16 units: an even distribution is enough. Two texts with one hash share an object, which is harmless;
 * of the few that name something in a document, no two are to be expected.
 */
export function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++)
    hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193) >>> 0;
  return hash;
}
