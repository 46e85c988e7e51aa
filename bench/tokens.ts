// Tokens of the bench's clients and services: HS256, signed with its own secrets.

import { createHmac } from "node:crypto";

export const SECRET = "a secret of the bench, 32 bytes or more";
export const ISSUER = "bench";
/** The access key of services. */
export const ACCESS_KEY = "an-access-key-of-the-bench-with-32-bytes-or-more";

const LIFE_SECONDS = 3_600;

const base64Url = (part: object): string => Buffer.from(JSON.stringify(part)).toString("base64url");

function signToken(claims: object, key: string): string {
  const text = `${base64Url({ alg: "HS256", typ: "JWT" })}.${base64Url(claims)}`;
  return `${text}.${createHmac("sha256", key).update(text).digest("base64url")}`;
}

/** A client's token, valid for an hour. */
export function tokenOf(user: string): string {
  const now = Math.floor(Date.now() / 1_000);
  const claims = { sub: user, iss: ISSUER, aud: ISSUER, iat: now, exp: now + LIFE_SECONDS };
  return signToken(claims, SECRET);
}

/** A service's token for one URL, valid for an hour. */
export const serviceToken = (url: string): string =>
  signToken({ aud: url, exp: Math.floor(Date.now() / 1_000) + LIFE_SECONDS }, ACCESS_KEY);
