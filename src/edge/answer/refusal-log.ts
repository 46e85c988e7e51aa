// Why requests were turned away, for whoever runs this: a line of the log and a point of analytics.

import { logWarning } from "../../model/logger.ts";
import { writeRefusal } from "../../rooms/observe/analytics.ts";
import type { ObjectEnv } from "../../rooms/rpc/object-env.ts";

export interface Refused {
  readonly hub: string;
  readonly status: number;
  /** Stable. */
  readonly code: string;
}

/** Browsers tell a page nothing of a refused handshake, so the log says why. Never the query: a token stands there. */
export function logRefusal(
  { method, url }: Request,
  env: ObjectEnv,
  { hub, status, code }: Refused,
): void {
  // Percent-encoded as it came.
  const { pathname: path } = new URL(url);
  logWarning("refused", { method, path, status, code });
  writeRefusal(env, hub, status, code);
}
