// The operator's record of refused requests: a line of the log, and a data point of Workers Analytics Engine if that
// is configured. Browsers hide the reason of a refused handshake from the page, so that the log is often the only
// trace.

import { isDevelopment } from "../../model/environment.ts";
import { logWarning } from "../../model/logger.ts";
import { factsOf, type RefusalFacts } from "../../model/refusal-facts.ts";
import { urlOf } from "../../model/request-url.ts";
import { writeRefusal } from "../../rooms/observe/analytics.ts";
import type { ObjectEnv } from "../../rooms/rpc/object-env.ts";

export interface RefusalRecord {
  /** Empty if the request names none. */
  readonly hub: string;
  readonly status: number;
  /** Stable: dashboards and alerts count by it. */
  readonly code: string;
  /** The claim of the token that was missing or wrong: its name, never its value. */
  readonly claim?: string | undefined;
  /** The error, if the worker itself refused; else the answer of the object that refused. */
  readonly error?: unknown;
}

/**
 * Never logs the query, which may hold a token. In development the line also has the expected and the actual value, if
 * the error has them.
 */
export function logRefusal(
  request: Request,
  env: ObjectEnv,
  { hub: asked, status, code, claim, error }: RefusalRecord,
): void {
  const { method } = request;
  // As hubs are called, however the request has it.
  const hub = asked.toLowerCase();
  // Percent-encoded, as it was sent.
  const { pathname: path } = urlOf(request);
  const facts = isDevelopment(env) ? (factsOf(error) ?? tokenFacts(request, code)) : undefined;
  const about = { ...(hub && { hub }), status, code, ...(claim && { claim }) };
  logWarning("refused", { method, path, ...about, ...facts });
  writeRefusal(env, { hub, status, code });
}

/** A header without a scheme may be the token itself, and is not repeated. */
function tokenFacts({ headers }: Request, code: string): RefusalFacts | undefined {
  if (code !== "token_missing") return undefined;
  const header = headers.get("authorization");
  const scheme = /^(?:basic|bearer|digest|negotiate)(?![^ ])/i.exec(header ?? "")?.[0];
  return {
    expected: "Authorization: Bearer …, or ?access_token=…",
    received: header === null ? "neither" : `Authorization: ${scheme ?? "without Bearer"}`,
  };
}
