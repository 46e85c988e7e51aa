// Tokens of a connection: one for every attempt, and a fresh one before the current token expires.

import { HubError } from "../../model/errors.ts";
import { deferred } from "../platform/deferred.ts";
import { limit, Timer } from "../platform/timer.ts";
import type { ClientErrorCode } from "../model/client-errors.ts";

/**
 * A token, or a function that fetches one. The function is called before every attempt, and before the current token
 * expires. Without a token, or with an empty text, the client is a guest, which hubs with `anonymous` admit; a function
 * must not return an empty text.
 */
export type Token = string | (() => string | Promise<string>);

export interface CredentialsOptions {
  readonly token: Token;
  /** Time limit of the token function, in seconds. */
  readonly tokenSeconds: number;
  /** 0 ≤ x < 1. */
  random(): number;
  /** Sends a fresh token to the server, and calls `renewLater` once the server has accepted it. */
  renew(token: string): Promise<unknown>;
  /** A renewal failed. The connection lasts until its token expires, and is then opened again with a new token. */
  onError(error: HubError): void;
}

export class Credentials {
  readonly #options: CredentialsOptions;
  readonly #timer = new Timer();
  /** Functions that reject the tokens which are being fetched. */
  readonly #fetches = new Set<(error: HubError) => void>();
  /** The newest token that was used by an attempt, or accepted by the server. */
  #current: string | undefined;
  /** The number of stops: a renewal that began before a stop has no effect after it. */
  #stops = 0;
  /** Set by `close`: no token is fetched any more. */
  #closeError: HubError | undefined;

  constructor(options: CredentialsOptions) {
    this.#options = options;
  }

  /**
   * The token for a new attempt. Throws the errors of the application's function, `timed_out`, `no_token` if the
   * function returns none, and the error of `close`.
   */
  async nextToken(): Promise<string> {
    return (this.#current = await this.fetchToken());
  }

  async fetchToken(): Promise<string> {
    const { token, tokenSeconds } = this.#options;
    if (this.#closeError) throw this.#closeError;
    if (typeof token !== "function") return this.#current ?? token;
    const { promise, reject } = deferred<never>();
    const error = new HubError("timed_out", `The token took more than ${tokenSeconds} s.`);
    const cancel = limit(tokenSeconds * 1000, () => reject(error));
    this.#fetches.add(reject);
    try {
      return givenToken(await Promise.race([token(), promise]));
    } finally {
      cancel();
      this.#fetches.delete(reject);
    }
  }

  /**
   * To be called when the server has accepted a token (default: the attempt's). Schedules its renewal, in place of an
   * earlier one. A fixed token and one without an expiry are never renewed.
   */
  renewLater(token = this.#current!): void {
    this.#current = token;
    // After a close, the answer to a renewal may still be on its way to this.
    if (typeof this.#options.token !== "function" || this.#closeError) return;
    const delay = renewInMs(token, Date.now(), this.#options.random);
    if (delay !== undefined) this.#timer.set(() => void this.#renew(), delay);
  }

  async #renew(): Promise<void> {
    const { renew, onError } = this.#options;
    const stops = this.#stops;
    try {
      const token = await this.fetchToken();
      if (stops === this.#stops) await renew(token);
    } catch (cause) {
      if (stops !== this.#stops) return;
      onError(new HubError<ClientErrorCode>("no_token", "The token was not renewed.", { cause }));
    }
  }

  /** To be called when the connection is lost or closed: the next attempt gets another token. */
  stop(): void {
    this.#stops += 1;
    this.#timer.clear();
  }

  /** To be called when the connection is closed: tokens, also those being fetched, reject with this error. */
  close(error: HubError): void {
    this.#closeError = error;
    for (const reject of this.#fetches) reject(error);
  }
}

/** Throws `no_token` for anything but a text, as after a sign-out, or if the application reads a wrong member. */
export function givenToken(token: unknown): string {
  if (token && typeof token === "string") return token;
  throw new HubError<ClientErrorCode>("no_token", "The `token` function gave no token.");
}

/** The error of an attempt that has no token. */
export const noToken = (cause: unknown): HubError =>
  cause instanceof HubError && cause.code === "no_token"
    ? cause
    : new HubError<ClientErrorCode>("no_token", "The `token` function failed.", { cause });

/**
 * Whether the application's function failed: it may have had no network, and should be called again. A function that
 * succeeded without a token would do so again. (`in`, because the cause itself may be undefined.)
 */
export const hasFailed = (error: HubError): boolean => "cause" in error;

/** Renewal starts this long before the expiry: enough for a slow answer and for clocks that differ a little. */
const MARGIN_SECONDS = 30;
/** A random extra margin, so that clients that connected together do not renew together. */
const SPREAD_SECONDS = 15;

/**
 * Milliseconds until a token should be renewed, or undefined for a token without a usable expiry. `now` is in
 * milliseconds since 1970. A short-lived token is renewed after half of its lifetime.
 *
 * A token is renewed according to the shorter of two lifetimes: `exp - iat`, which holds whatever the local clock
 * says, and `exp - now`. A local clock that is wrong makes the second one too long, or negative and thus ignored.
 */
export function renewInMs(token: string, now: number, random: () => number): number | undefined {
  const claims = claimsOf(token);
  const [exp, iat] = [timeOf(claims["exp"]), timeOf(claims["iat"])];
  const lifetimes = [exp - now / 1000, exp - iat];
  const seconds = Math.min(...lifetimes.filter((lifetime) => lifetime > 0));
  // The token never expires.
  if (seconds === Infinity) return undefined;
  const margin = Math.min(MARGIN_SECONDS + random() * SPREAD_SECONDS, seconds / 2);
  return (seconds - margin) * 1000;
}

/** NaN, which compares as false, for an absent or unusable time. The server accepts numeric text as well. */
const timeOf = (value: unknown): number => (typeof value === "object" ? NaN : Number(value));

function claimsOf(token: string): Record<string, unknown> {
  try {
    const payload = token.split(".")[1] ?? "";
    return JSON.parse(atob(payload.replaceAll("-", "+").replaceAll("_", "/"))) ?? {};
  } catch {
    return {}; // Not a JWT: a format that only the server reads, and whose expiry is unknown here.
  }
}
