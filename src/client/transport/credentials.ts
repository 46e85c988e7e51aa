// Tokens: a fresh one for every attempt, and a fresh one for a connection whose token will expire.

import { HubError } from "../../model/errors.ts";
import type { ClientErrorCode } from "../client-errors.ts";
import { deferred } from "./deferred.ts";
import type { Token } from "../connect-options.ts";
import { Timer } from "./timer.ts";

export interface CredentialsOptions {
  readonly token: Token;
  /** Seconds a token may take. */
  readonly tokenSeconds: number;
  random(): number;
  /** Hands a fresh token to the server. */
  renew(token: string): Promise<unknown>;
  /** A renewal failed. It costs a reconnect when the token expires, and nothing more. */
  failed(error: HubError): void;
}

export class Credentials {
  readonly #options: CredentialsOptions;
  readonly #timer = new Timer();
  #current = "";

  constructor(options: CredentialsOptions) {
    this.#options = options;
  }

  /** For a new attempt. Throws what the application's function throws, and `timed_out`. */
  async next(): Promise<string> {
    return (this.#current = await this.fresh());
  }

  async fresh(): Promise<string> {
    const { token, tokenSeconds } = this.#options;
    if (typeof token === "string") return token;
    const late = deferred<never>();
    const error = new HubError("timed_out", `The token took more than ${tokenSeconds} s.`);
    const timer = setTimeout(() => late.reject(error), tokenSeconds * 1000);
    try {
      return await Promise.race([token(), late.promise]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** The server has accepted the token; sees to the next, where there can be one. */
  accepted(token = this.#current): void {
    if (typeof this.#options.token === "string") return;
    const delay = renewInMs(token, Date.now(), this.#options.random);
    if (delay !== undefined) this.#timer.set(() => void this.#renew(), delay);
  }

  async #renew(): Promise<void> {
    const { renew, failed } = this.#options;
    try {
      await renew(await this.fresh());
    } catch (cause) {
      failed(new HubError<ClientErrorCode>("no_token", "The token was not renewed.", { cause }));
    }
  }

  stop(): void {
    this.#timer.clear();
  }
}

/** Early enough for a slow answer, and for clocks that differ a little. */
const MARGIN_SECONDS = 30;
/** Those who came together shall not renew together. */
const SPREAD_SECONDS = 15;
/** Timers hold 31 bits. */
const LONGEST_MS = 2 ** 31 - 1;

/** Undefined where the token does not say. Half of its life, where that is short. */
export function renewInMs(token: string, now: number, random: () => number): number | undefined {
  const { exp, iat } = claimsOf(token);
  if (typeof exp !== "number") return undefined;
  // A clock that is wrong shows here: a fresh token lives as long as it says, whatever our time.
  const lives = [exp - now / 1000, typeof iat === "number" ? exp - iat : 0].filter((s) => s > 0);
  if (lives.length === 0) return undefined;
  const seconds = Math.min(...lives);
  const early = Math.min(MARGIN_SECONDS + random() * SPREAD_SECONDS, seconds / 2);
  return Math.min((seconds - early) * 1000, LONGEST_MS);
}

function claimsOf(token: string): Record<string, unknown> {
  try {
    const payload = token.split(".")[1] ?? "";
    return JSON.parse(atob(payload.replaceAll("-", "+").replaceAll("_", "/"))) ?? {};
  } catch {
    return {}; // No JWT: the server may know what it is.
  }
}
