// What clients and services show: HS256 by hand, with the bench's own secret.

import { createHmac } from "node:crypto";

export const SECRET = "a secret of the bench, 32 bytes or more";
export const ISSUER = "bench";
/** Services sign with it. */
export const ACCESS_KEY = "an-access-key-of-the-bench-with-32-bytes-or-more";

const LIFE_SECONDS = 3_600;

const base64Url = (part: object): string => Buffer.from(JSON.stringify(part)).toString("base64url");

function signed(claims: object, key: string): string {
  const text = `${base64Url({ alg: "HS256", typ: "JWT" })}.${base64Url(claims)}`;
  return `${text}.${createHmac("sha256", key).update(text).digest("base64url")}`;
}

/** Of a client, for an hour. */
export function tokenOf(user: string): string {
  const now = Math.floor(Date.now() / 1_000);
  const claims = { sub: user, iss: ISSUER, aud: ISSUER, iat: now, exp: now + LIFE_SECONDS };
  return signed(claims, SECRET);
}

/** Of a service, for one address. */
export const serviceToken = (url: string): string =>
  signed({ aud: url, exp: Math.floor(Date.now() / 1_000) + LIFE_SECONDS }, ACCESS_KEY);
