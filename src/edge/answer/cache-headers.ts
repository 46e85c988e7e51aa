// Headers for caches and proxies between the worker and its client. Without them they might keep a user's messages, or
// hold them back.

/** For an answer with a secret or a user's data. Refusals have it too: `refusalHeaders`. */
export const NO_STORE = { "cache-control": "no-store" } as const;

/** For an answer that is sent piece by piece, in every protocol. */
export const STREAM_HEADERS = {
  // A URL may have the token, so that shared caches do not see that the answer is one user's (RFC 9111 §3.5). A
  // compressing proxy collects what it compresses.
  "cache-control": "no-store, no-transform",
  // nginx collects the answer otherwise, unless its own configuration turns that off.
  "x-accel-buffering": "no",
} as const;
