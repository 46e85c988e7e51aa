// Origins of web pages that may connect. CORS does not apply to WebSockets, so every transport calls `checkOrigin`.
// Only whole origins are compared: with patterns, `https://any-app.example` passes for `https://app.example`.

import { withFacts } from "../model/refusal-facts.ts";
import { Refusal } from "./auth-refusal.ts";

/**
 * Throws `forbidden_origin` for a page whose origin is neither the server's own nor allowed. Requests without `Origin`
 * come from other programs than browsers, and pass.
 */
export function checkOrigin(request: Request, allowed: ReadonlySet<string>): void {
  const origin = request.headers.get("origin");
  if (origin === null || allowed.has(origin) || origin === new URL(request.url).origin) return;
  throw withFacts(new Refusal("forbidden_origin"), () => ({
    expected: [new URL(request.url).origin, ...allowed],
    received: origin,
  }));
}

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
    "access-control-expose-headers": "retry-after, x-dormouse-error",
  };
}

/** Origins separated by commas. Undefined if one is not written as browsers write it. */
export function readOrigins(text: string): ReadonlySet<string> | undefined {
  if (text.trim() === "") return new Set();
  const entries = text.split(",").map((entry) => entry.trim());
  return entries.every(isOrigin) ? new Set(entries) : undefined;
}

/**
 * A page's origin, as `Origin` has it. Paths, trailing slashes, capitals and default ports do not survive `URL`. A `*`
 * does, since hosts may contain it; it is refused because it looks like a pattern.
 */
const isOrigin = (entry: string): boolean =>
  /^https?:[^*]+$/.test(entry)
    ? URL.canParse(entry) && new URL(entry).origin === entry
    : APP_ORIGIN.test(entry);

/**
 * Origins of apps with a web view: `capacitor://localhost`, `ionic://localhost`, `app://main`; and `null`, which a page
 * of a file and every sandboxed frame has.
 */
const APP_ORIGIN =
  /^(?:null|(?!(?:https?|wss?|ftp|file):)[a-z][a-z\d+.-]*:\/\/[a-z\d._-]+(?::\d{1,5})?)$/;
