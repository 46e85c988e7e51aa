// What a service may say of the endpoint, of itself, and of one call.

import type { Backoff } from "../transport/backoff.ts";
import type { Token } from "../connect-options.ts";

/** A service binding of a Worker (`env.REALTIME`), or anything that fetches. */
export interface Fetching {
  fetch(request: Request): Promise<Response>;
}

export interface CallOptions {
  /**
   * Names what is said, so that saying it again says nothing twice: for those who repeat by themselves. One for each
   * thing that is said. Default: a random one for each call, the same on all its attempts.
   */
  readonly idempotencyKey?: string;
  /** Ends the call with `cancelled`, also between two attempts. */
  readonly signal?: AbortSignal;
  /** Seconds a call may take, with all its attempts and pauses. Default: 30, and 40 where a client is asked. */
  readonly timeoutSeconds?: number;
}

interface CommonOptions extends Omit<CallOptions, "idempotencyKey"> {
  /** Azure's `application`: part of a hub's name there. */
  readonly application?: string;
  /** In place of the global `fetch`. */
  readonly fetcher?: Fetching;
  /** How often a call that may be repeated is tried. Default: 5. */
  readonly attempts?: number;
  /** Pauses between attempts, with full jitter: 250 ms at first, doubling to 8 s. The server may ask for more. */
  readonly backoff?: Partial<Omit<Backoff, "random">>;
}

export interface WithToken extends CommonOptions {
  /** The hub's address, as clients have it: `https://host/hubs/orders`. */
  readonly url: string;
  /** Of a user with the role `service`. A function is asked when none is held, the held one ends soon, or is refused. */
  readonly token: Token;
}

export interface WithAccessKey extends CommonOptions {
  readonly url: string;
  /** One of the endpoint's `ACCESS_KEYS`: each request is signed with it, for its own address. */
  readonly accessKey: string;
  /** The tenant it speaks in. Default: the endpoint's own. */
  readonly tenant?: string;
}

export interface WithConnectionString extends CommonOptions {
  /** `Endpoint=https://host;AccessKey=…;Version=1.0;`, as Azure SignalR has it. */
  readonly connectionString: string;
  readonly hub: string;
  readonly tenant?: string;
}

export type BackendOptions = WithToken | WithAccessKey | WithConnectionString;

export const DEFAULTS = {
  attempts: 5,
  backoff: { baseMs: 250, capMs: 8_000 },
  timeoutSeconds: 30,
  /** More than the server waits for a client's answer. */
  askSeconds: 40,
  /** One attempt of several: what takes longer is lost. */
  attemptSeconds: 10,
} as const;
