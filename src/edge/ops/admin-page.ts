// `/admin`: the page for operators, served if `ADMIN` is `1`. Its files are assets of the worker, built from admin/;
// this file only decides whether they are served. The page uses the REST interface, with the token of a service.

import { nothingHere } from "../../auth/authenticate.ts";
import { HubError } from "../../model/errors.ts";
import { pathBelow } from "../admit/request-target.ts";
import { methodNotAllowed } from "../answer/method-not-allowed.ts";

export interface AdminPageEnv {
  /** `1`: the page is served. Default: it is not found. */
  readonly ADMIN?: string;
  /** The worker's static files: `binding` of `[assets]`. */
  readonly ASSETS?: Pick<Fetcher, "fetch">;
}

interface PageRequest {
  readonly request: Request;
  readonly env: AdminPageEnv;
  readonly prefix: string;
}

/** On every answer of the page, so that it does not depend on the `_headers` of an application's own files. */
const HEADERS = {
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "x-robots-tag": "noindex",
};

/** Throws `not_found` if the page is off, or its files are not among the assets. */
export async function adminPage({ request, env, prefix }: PageRequest): Promise<Response> {
  const path = pathBelow(request, prefix);
  if (env.ADMIN !== "1" || !env.ASSETS) throw nothingHere();
  if (!/^(?:GET|HEAD)$/.test(request.method)) return methodNotAllowed("GET");
  // A relative redirect, because a proxy may have removed a part of the path. The page names its files relative to `/`.
  if (path === "/admin")
    return new Response(null, { status: 308, headers: { location: "admin/" } });
  // A new request follows redirects: the assets may serve the page under another name than one with a slash at its end.
  const file = await env.ASSETS.fetch(
    new Request(new URL(path, request.url), { headers: request.headers }),
  );
  if (file.status === 404)
    throw new HubError("not_found", "The files are missing: run npx dormouse admin.");
  const response = new Response(file.body, file);
  for (const [name, value] of Object.entries(HEADERS)) response.headers.set(name, value);
  return response;
}
