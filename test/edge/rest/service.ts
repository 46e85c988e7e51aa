// A back end for tests inside workerd: asks the REST interface, with an access key or with a token of the issuer.

import { env, exports } from "cloudflare:workers";
import { SignJWT, type JWTPayload } from "jose";
import { token } from "../../rooms/client.ts";

export const [KEY, OLD_KEY] = env.ACCESS_KEYS.split(",") as [string, string];
export const ORIGIN = "https://edge.example";

export interface Signing {
  readonly key?: string;
  readonly header?: object;
  /** `undefined` takes a claim out. */
  readonly claims?: Record<string, unknown>;
}

/** As Azure's SDKs sign: for this URL, for an hour. */
export async function signedFor(url: string, { key = KEY, header, claims }: Signing = {}) {
  const now = Math.floor(Date.now() / 1000);
  const payload = { aud: url, iat: now, exp: now + 3_600, ...claims } as JWTPayload;
  return new SignJWT(payload)
    .setProtectedHeader({ alg: "HS256", typ: "JWT", ...header })
    .sign(new TextEncoder().encode(key));
}

export interface Asking {
  /** As JSON. */
  readonly body?: unknown;
  readonly raw?: BodyInit;
  readonly type?: string;
  readonly sign?: Signing;
  readonly headers?: Readonly<Record<string, string>>;
  /** In place of a token signed with a key. */
  readonly token?: string;
}

/** `ask("POST", "/hubs/chat/:send", { body })`, below `/api`. */
export async function ask(method: string, path: string, asking: Asking = {}): Promise<Response> {
  const url = `${ORIGIN}/api${path}`;
  const { body, raw, type = "application/json", sign } = asking;
  const bearer = asking.token ?? (await signedFor(url, sign));
  const content = raw ?? (body === undefined ? undefined : JSON.stringify(body));
  return exports.default.fetch(url, {
    method,
    headers: {
      authorization: `Bearer ${bearer}`,
      ...(content && { "content-type": type }),
      ...asking.headers,
    },
    ...(content && { body: content }),
  });
}

export const serviceToken = (claims: Record<string, unknown> = {}): Promise<string> =>
  token("shop", { role: "service", ...claims });

/** Status and code of a refusal. */
export async function refusal(response: Response): Promise<[number, string | null]> {
  await response.body?.cancel();
  return [response.status, response.headers.get("x-dormouse-error")];
}
