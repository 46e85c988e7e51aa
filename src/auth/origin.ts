// Which web pages may connect. CORS does not apply to WebSockets, so every transport asks here, and only whole
// origins are compared: patterns are how `https://any-app.example` passes for `https://app.example`.

import { Refusal } from "./auth-refusal.ts";

/** Refuses a page of another origin than the server's own and those allowed. Servers send no Origin and pass. */
export function checkOrigin(request: Request, allowed: ReadonlySet<string>): void {
  const origin = request.headers.get("origin");
  if (origin === null || allowed.has(origin) || origin === new URL(request.url).origin) return;
  throw new Refusal("forbidden_origin");
}

/** What lets a page of an allowed origin read an answer of ours; `vary` also where it may not. */
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
    "access-control-expose-headers": "retry-after, x-dormouse-error",
  };
}

/** Reads origins separated by commas; undefined if any is not written as browsers write them. */
export function readOrigins(text: string): ReadonlySet<string> | undefined {
  if (text.trim() === "") return new Set();
  const entries = text.split(",").map((entry) => entry.trim());
  return entries.every(isOrigin) ? new Set(entries) : undefined;
}

/**
 * Paths, trailing slashes, capitals and default ports do not come back from `URL` as they went in. A `*` would: it is
 * allowed in hosts, and whoever writes one expects a pattern.
 */
const isOrigin = (entry: string): boolean =>
  /^https?:[^*]+$/.test(entry) && URL.canParse(entry) && new URL(entry).origin === entry;
