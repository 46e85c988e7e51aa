// What lets a page of another origin that is allowed read an answer of ours: every answer but an upgrade, refusals too.

import { corsHeaders } from "../../auth/origin.ts";
import { readConfig, type AuthEnv } from "../../auth/auth-config.ts";

/** The same answer, readable for the page that asked. An upgrade's headers are immutable, and CORS does not apply. */
export function readable(request: Request, env: AuthEnv, response: Response): Response {
  if (response.webSocket) return response;
  const shared = new Response(response.body, response);
  for (const [name, value] of Object.entries(headersFor(request, env)))
    shared.headers.append(name, value);
  return shared;
}

/** Answers `OPTIONS`: an origin that is not allowed is told nothing, and its browser asks no further. */
export function preflight(request: Request, env: AuthEnv): Response {
  const headers = new Headers(headersFor(request, env));
  if (headers.has("access-control-allow-origin")) {
    const asked = request.headers.get("access-control-request-headers") ?? "";
    headers.set("access-control-allow-methods", "GET, POST, DELETE");
    headers.set("access-control-allow-headers", asked);
    headers.set("access-control-max-age", "600");
  }
  return new Response(null, { status: 204, headers });
}

/** A server without configuration shares nothing: it refuses every request, and its log says why. */
function headersFor(request: Request, env: AuthEnv): Readonly<Record<string, string>> {
  try {
    return corsHeaders(request, readConfig(env).origins);
  } catch {
    return { vary: "Origin" };
  }
}
