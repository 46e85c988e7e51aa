// CORS (Fetch §3.3): headers by which pages of the allowed origins may read our answers. Refusals get them as well, so
// that a page can show why it was refused; upgrades do not need them.

import { readOrigins, type AuthEnv } from "../../auth/auth-config.ts";
import { checkOrigin } from "../../auth/authenticate.ts";
import type { ObjectEnv } from "../../rooms/rpc/object-env.ts";
import { logRefusal } from "./refusal-log.ts";

/** The same answer with CORS headers. Not for upgrades: their headers are immutable (docs/design/platform.md#pl9). */
export function withCors(request: Request, env: AuthEnv, response: Response): Response {
  const headers = Object.entries(headersFor(request, env));
  try {
    return appended(response, headers);
  } catch {
    // An object's answer has immutable headers; a copy has not.
    return appended(new Response(response.body, response), headers);
  }
}

function appended(response: Response, headers: readonly (readonly [string, string])[]): Response {
  for (const [name, value] of headers) response.headers.append(name, value);
  return response;
}

/**
 * Answers `OPTIONS` for every route, whether it exists or not. Without the allowing headers a browser does not send its
 * actual request. Browsers may keep the answer for ten minutes.
 */
export function preflight(request: Request, env: AuthEnv): Response {
  const headers = headersFor(request, env);
  const allowing = "access-control-allow-origin" in headers && {
    "access-control-allow-methods": "GET, POST, DELETE",
    "access-control-allow-headers": request.headers.get("access-control-request-headers") ?? "",
    "access-control-max-age": "600",
    // Some CDNs cache preflights, and this answer repeats a header of its request.
    vary: "Origin, Access-Control-Request-Headers",
  };
  return new Response(null, { status: 204, headers: { ...headers, ...allowing } });
}

/**
 * Logs the preflight of a foreign origin: the browser never sends the request itself, and shows the page only that
 * `fetch` failed. The logged status is that of the refusal; a preflight is answered with 204 in any case.
 */
export function logForeignOrigin(request: Request, env: AuthEnv & ObjectEnv, hub: string): void {
  try {
    checkOrigin(request, originsOf(env));
  } catch (error) {
    logRefusal(request, env, { hub, status: 403, code: "forbidden_origin", error });
  }
}

/**
 * Works for a server that is otherwise misconfigured, so that pages can read its refusals: only the origins have to be
 * valid. `env` is undefined in tests of applications that request paths without bindings.
 */
const originsOf = (env: AuthEnv | undefined): ReadonlySet<string> =>
  readOrigins(String(env?.ALLOWED_ORIGINS ?? "")) ?? new Set();

const headersFor = (request: Request, env: AuthEnv): Readonly<Record<string, string>> =>
  corsHeaders(request, originsOf(env));

/** Headers that let a page of an allowed origin read the answer. `vary` is set in any case, because of caches. */
export function corsHeaders(
  request: Request,
  allowed: ReadonlySet<string>,
): Readonly<Record<string, string>> {
  const origin = request.headers.get("origin");
  if (origin === null || !allowed.has(origin)) return { vary: "Origin" };
  return {
    vary: "Origin",
    "access-control-allow-origin": origin,
    "access-control-allow-credentials": "true",
    "access-control-expose-headers": "retry-after, x-dormouse-error, x-dormouse-claim",
  };
}
