// Default values of the options of `connect` and `events`, in one object. Each option is documented at its
// field in connect-options.ts and events.ts.

import { MESSAGE_BYTES } from "../../model/wire-constants.ts";

export const DEFAULTS = {
  /** A guest. */
  token: "",
  queue: 100,
  maxRetries: Infinity,
  backoff: { baseMs: 1_000, capMs: 30_000, random: Math.random },
  tokenSeconds: 30,
  messageBytes: MESSAGE_BYTES,
} as const;
