// Headers of answers that are sent piece by piece, in every protocol: without them a cache or proxy on the way would
// keep a user's messages, or hold them back.

export const STREAM_HEADERS = {
  // A URL may have the token, so that shared caches do not see that the answer is one user's (RFC 9111 §3.5). A
  // compressing proxy collects what it compresses.
  "cache-control": "no-store, no-transform",
  // nginx collects the answer otherwise, unless its own configuration turns that off.
  "x-accel-buffering": "no",
} as const;
