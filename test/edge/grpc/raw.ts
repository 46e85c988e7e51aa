// Requests of the service byte by byte, for what no client would send.

import { exports } from "cloudflare:workers";
import { token } from "../../rooms/client.ts";
import { BASE, SERVICE } from "./client.ts";

export const HUB = "/dormouse.v1.Hub";

export interface Raw {
  readonly path?: string;
  readonly type?: string;
  readonly headers?: Record<string, string>;
  readonly user?: string | null;
  readonly method?: string;
  readonly claims?: Record<string, unknown>;
  /** What Cloudflare tells of the request. */
  readonly cf?: IncomingRequestCfProperties | CfProperties;
}

export async function raw(
  body: string | Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array>,
  options: Raw = {},
): Promise<Response> {
  const {
    path = `${HUB}/Publish`,
    type = "application/json",
    user = "s",
    method = "POST",
    claims = SERVICE,
  } = options;
  const authorization =
    user === null ? {} : { authorization: `Bearer ${await token(user, claims)}` };
  return exports.default.fetch(BASE + path, {
    method,
    headers: { "content-type": type, ...authorization, ...options.headers },
    ...(method === "POST" && { body }),
    ...(options.cf && { cf: options.cf }),
  });
}

/** One message as streams have it; the length may lie. */
export function envelope(
  message: string | Uint8Array,
  flags = 0,
  length?: number,
): Uint8Array<ArrayBuffer> {
  const bytes = typeof message === "string" ? new TextEncoder().encode(message) : message;
  const framed = new Uint8Array(5 + bytes.length);
  framed[0] = flags;
  new DataView(framed.buffer).setUint32(1, length ?? bytes.length);
  framed.set(bytes, 5);
  return framed;
}
