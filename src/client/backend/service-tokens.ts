// What a service shows of itself: a token of its own, or one signed for the address of each request.

import { SignJWT } from "jose";
import { HubError } from "../../model/errors.ts";
import type { ClientErrorCode } from "../client-errors.ts";
import { renewInMs } from "../transport/credentials.ts";
import type { Token } from "../connect-options.ts";
import { parseConnectionString } from "./backend-urls.ts";
import type { BackendOptions } from "./backend-options.ts";

/**
 * A token for an address, which is without its query. `refused` is the one the server has just turned away: another is
 * given, if there can be one.
 */
export type Tokens = (audience: string, refused?: string) => Promise<string>;

/** Throws a TypeError where there is nothing to show. */
export function tokensOf(options: BackendOptions): Tokens {
  if ("connectionString" in options) {
    const { accessKey } = parseConnectionString(options.connectionString);
    return signedTokens(accessKey, options.tenant);
  }
  if ("accessKey" in options && options.accessKey)
    return signedTokens(options.accessKey, options.tenant);
  if ("token" in options && options.token) return givenTokens(options.token);
  // A variable of the environment that is not set, say.
  throw new TypeError("A backend needs a `token`, an `accessKey` or a `connectionString`.");
}

interface Held {
  readonly token: Promise<string>;
  /** Milliseconds since 1970. */
  until: number;
}

function givenTokens(token: Token): Tokens {
  if (typeof token === "string") return async () => token;
  let held: Held | undefined;
  const ask = (): Held => {
    const asked: Held = { token: asking(token), until: Infinity };
    asked.token.then(
      (text) => (asked.until = Date.now() + (renewInMs(text, Date.now(), Math.random) ?? Infinity)),
      () => (asked.until = 0),
    );
    return asked;
  };
  return async (_audience, refused) => {
    // All who meet an old token at once share the next.
    if (held === undefined || Date.now() >= held.until) held = ask();
    const shared = held;
    if ((await shared.token) !== refused) return shared.token;
    if (held === shared) held = ask();
    return held.token;
  };
}

async function asking(token: () => string | Promise<string>): Promise<string> {
  try {
    return await token();
  } catch (cause) {
    throw new HubError<ClientErrorCode>("no_token", "The application's `token` failed.", { cause });
  }
}

const LIFE_SECONDS = 300;
/** For the way, and for a clock that is a little slow. */
const MARGIN_SECONDS = 60;
/** Every order has addresses of its own: only the newest are worth keeping. */
const MOST_HELD = 500;

function signedTokens(accessKey: string, tenant: string | undefined): Tokens {
  const key = new TextEncoder().encode(accessKey);
  const held = new Map<string, Held>();
  return async (audience, refused) => {
    const last = held.get(audience);
    if (last && Date.now() < last.until && (await last.token) !== refused) return last.token;
    const token = signed(key, audience, tenant);
    held.delete(audience);
    held.set(audience, { token, until: Date.now() + (LIFE_SECONDS - MARGIN_SECONDS) * 1000 });
    if (held.size > MOST_HELD) held.delete(held.keys().next().value!);
    return token;
  };
}

/** Without `iat`: a clock that is fast would make it a token of the future. */
const signed = (key: Uint8Array, audience: string, tenant: string | undefined): Promise<string> =>
  new SignJWT(tenant === undefined ? {} : { tid: tenant })
    .setProtectedHeader({ alg: "HS256", typ: "JWT" })
    .setAudience(audience)
    .setExpirationTime(Math.floor(Date.now() / 1000) + LIFE_SECONDS)
    .sign(key);
