// A hash of texts, to distribute them over objects and to name them.

/**
 * FNV-1a over UTF-16 units: an even distribution is enough. Two texts with the same hash share an object, which is
 * harmless; among the few texts that are names in a document, a collision is improbable.
 */
export function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++)
    hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193) >>> 0;
  return hash;
}
