// Tokens of any shape, with valid or invalid signatures, and an issuer whose key set is a stubbed fetch.

import { base64url, exportJWK, generateKeyPair, type JWK } from "jose";
import { expect, vi } from "vitest";
import { verifyToken, type AuthEnv } from "../../src/auth/authenticate.ts";

export const NOW = Date.UTC(2026, 9, 1, 12);
export const SECONDS = NOW / 1000;
export const SECRET = "a secret for tests of 32+ bytes.";
export const ISSUER = "https://issuer.example";

export const SECRET_ENV: AuthEnv = {
  JWT_SECRET: SECRET,
  JWT_ISSUER: ISSUER,
  JWT_AUDIENCE: "dormouse",
};

/** The claims of a valid token; `undefined` removes a claim. */
export const claims = (changes: object = {}): object => ({
  iss: ISSUER,
  aud: "dormouse",
  sub: "alice",
  iat: SECONDS,
  exp: SECONDS + 300,
  ...changes,
});

export type Sign = (input: Uint8Array<ArrayBuffer>) => Promise<ArrayBuffer | Uint8Array>;

type Part = object | string | Uint8Array;

/**
 * A token of any parts. Text and bytes are encoded as they are, so that a part may be no JSON or have duplicate names.
 */
export async function token(header: Part, payload: Part, sign: Sign): Promise<string> {
  const input = `${encodePart(header)}.${encodePart(payload)}`;
  const signature = new Uint8Array(await sign(bytesOf(input)));
  return `${input}.${base64url.encode(signature)}`;
}

export const encodePart = (part: Part): string =>
  base64url.encode(part instanceof Uint8Array ? part : encodeText(part));

const encodeText = (part: object | string): string =>
  typeof part === "string" ? part : JSON.stringify(part);

export const hmac =
  (secret: string | Uint8Array<ArrayBuffer> = SECRET, bits = 256): Sign =>
  async (input) => {
    const bytes = typeof secret === "string" ? bytesOf(secret) : secret;
    const algorithm = { name: "HMAC", hash: `SHA-${bits}` };
    const key = await crypto.subtle.importKey("raw", bytes, algorithm, false, ["sign"]);
    return crypto.subtle.sign(algorithm.name, key, input);
  };

const bytesOf = (text: string) => Uint8Array.from(new TextEncoder().encode(text));

/** A signature of fixed bytes, independent of the input. */
export const fixed =
  (...bytes: number[]): Sign =>
  async () =>
    Uint8Array.from(bytes);

/** A token signed with the shared secret. */
export const hs256 = (changes: object = {}, header: object = {}, sign = hmac()) =>
  token({ alg: "HS256", typ: "JWT", ...header }, claims(changes), sign);

export interface TestKey {
  readonly alg: string;
  readonly jwk: JWK;
  readonly publicKey: CryptoKey;
  readonly sign: Sign;
}

/** A key pair. The published key has `kid` and `alg`. */
export async function testKey(alg: string, kid: string): Promise<TestKey> {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
  const jwk = { ...(await exportJWK(publicKey)), kid, alg };
  return { alg, jwk, publicKey, sign: signer(alg, privateKey) };
}

const signer =
  (alg: string, key: CryptoKey): Sign =>
  async (input) =>
    crypto.subtle.sign(
      {
        name: key.algorithm.name,
        hash: `SHA-${alg.slice(2)}`,
        saltLength: Number(alg.slice(2)) / 8,
      },
      key,
      input,
    );

/** A token signed with a key; its header names the key. */
export const signed = (key: TestKey, changes: object = {}, header: object = {}) =>
  token({ alg: key.alg, kid: key.jwk.kid, ...header }, claims(changes), key.sign);

export interface KeyServer {
  readonly env: AuthEnv;
  /** Every URL that was fetched, from any key server. */
  readonly fetched: string[];
}

type Answer = (init: RequestInit) => Response | Promise<Response>;

/** Answers by URL: a tenant's URL never answers with another's keys. */
const answers = new Map<string, Answer>();

/** Stubs fetch with a key set at a new URL, since key sets are cached by URL. */
export function keyServer(answer: Answer): KeyServer {
  const url = `https://keys-${answers.size}.example/jwks`;
  const fetched: string[] = [];
  answers.set(url, answer);
  vi.stubGlobal("fetch", async (input: RequestInfo, init: RequestInit = {}) => {
    fetched.push(String(input));
    const found = answers.get(String(input));
    if (!found) throw new TypeError("nobody is there");
    return found(init);
  });
  return {
    env: { JWT_JWKS_URL: url, JWT_ISSUER: ISSUER, JWT_AUDIENCE: "dormouse" },
    fetched,
  };
}

export const keySet = (...keys: (TestKey | JWK)[]): Response =>
  Response.json({ keys: keys.map((key) => ("jwk" in key ? key.jwk : key)) });

/** The reason of a token's refusal, or `accepted`. */
export const outcome = async (text: string, env: AuthEnv, nowMs = NOW): Promise<string> =>
  verifyToken(text, env, { now: () => nowMs }).then(
    () => "accepted",
    (error: { code?: string }) => error.code ?? String(error),
  );

/** Asserts that a text has no part of the token. */
export function expectNoTrace(of: string, text: string): void {
  for (const part of of.split(".").filter((piece) => piece.length > 8))
    expect(text).not.toContain(part);
}
