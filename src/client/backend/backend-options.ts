// Options of a backend: the endpoint's address, the credentials, and the settings of one call.

import type { Backoff } from "../transport/backoff.ts";
import type { Token } from "../transport/credentials.ts";

/** A service binding of a Worker (`env.REALTIME`), or any object with this method. */
export interface Fetching {
  fetch(request: Request): Promise<Response>;
}

/** Options of calls: `with({ … })` of a backend. */
export interface CallOptions {
  /**
   * Identifies a publication or a run, so that a repetition has no effect: for applications that repeat calls
   * themselves. Each publication or run needs its own key. Default: a random one for each call, the same in all its
   * attempts.
   */
  readonly idempotencyKey?: string | undefined;
  /** Ends the call with `cancelled`, even during a pause between two attempts. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Time limit of a call with all its attempts and pauses, in seconds. Default: 30, and 40 for a call that waits for a
   * client's result. Limits of more than 24 days end after 24 days.
   */
  readonly timeoutSeconds?: number | undefined;
}

interface CommonOptions extends Omit<CallOptions, "idempotencyKey"> {
  /** Azure's parameter of the same name: the endpoint makes it part of the hub's name. */
  readonly application?: string | undefined;
  /** Used instead of the global `fetch`. */
  readonly fetcher?: Fetching | undefined;
  /** Attempts of a call that may be repeated, the first one included. Default: 5. */
  readonly attempts?: number | undefined;
  /**
   * Pauses between attempts, with full jitter. Default: 250 ms at first, doubling to 8 s. The server may ask for more.
   */
  readonly backoff?: Partial<Omit<Backoff, "random">> | undefined;
}

/** A service with a token of the role `service`. */
export interface WithToken extends CommonOptions {
  /** The hub's address, the same as for clients: `https://host/hubs/orders`. */
  readonly url: string;
  /**
   * A token with the role `service`. A token function is called for the first request, shortly before the current token
   * expires, and when the endpoint refuses the current token.
   */
  readonly token: Token;
}

/** A service that signs with an access key. */
export interface WithAccessKey extends CommonOptions {
  /** The hub's address, the same as for clients: `https://host/hubs/orders`. */
  readonly url: string;
  /** One of the endpoint's `ACCESS_KEYS`. It signs a token for each request, valid for that request's URL only. */
  readonly accessKey: string;
  /** The tenant of the calls. Default: the endpoint's own. */
  readonly tenant?: string | undefined;
}

/** A service that has a connection string, like Azure SignalR's. */
export interface WithConnectionString extends CommonOptions {
  /** `Endpoint=https://host;AccessKey=…;Version=1.0;`, in the format of Azure SignalR. */
  readonly connectionString: string;
  readonly hub: string;
  /** The tenant of the calls. Default: the endpoint's own. */
  readonly tenant?: string | undefined;
}

/** Options of `backend`: the hub's address, and the service's credentials. */
export type BackendOptions = WithToken | WithAccessKey | WithConnectionString;

export const DEFAULTS = {
  attempts: 5,
  backoff: { baseMs: 250, capMs: 8_000 },
  timeoutSeconds: 30,
  /** Time limit for a client's result. Longer than the server waits for it (30 s), so that its error arrives. */
  invokeSeconds: 40,
  /** Time limit of one attempt of a call that may be repeated. */
  attemptSeconds: 10,
} as const;
