// The operator's record of refused requests: a line of the log, and a data point of Workers Analytics Engine where
// that is configured. Browsers hide the reason of a refused handshake from the page, so that the log is often the
// only trace.

import { logWarning } from "../../model/logger.ts";
import { writeRefusal } from "../../rooms/observe/analytics.ts";
import type { ObjectEnv } from "../../rooms/rpc/object-env.ts";

export interface RefusalRecord {
  /** Empty where the request names none. */
  readonly hub: string;
  readonly status: number;
  /** Stable: dashboards and alerts count by it. */
  readonly code: string;
  /** The claim of the token that was missing or wrong: its name, never its value. */
  readonly claim?: string | undefined;
}

/** Never logs the query, which may hold a token. */
export function logRefusal(
  { method, url }: Request,
  env: ObjectEnv,
  { hub, status, code, claim }: RefusalRecord,
): void {
  // Percent-encoded, as it was sent.
  const { pathname: path } = new URL(url);
  logWarning("refused", {
    method,
    path,
    ...(hub && { hub }),
    status,
    code,
    ...(claim && { claim }),
  });
  writeRefusal(env, { hub, status, code });
}
