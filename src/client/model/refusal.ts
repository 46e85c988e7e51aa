// A refusal of the server as the application sees it, and whether another attempt may be made after it.

import { HubError, shouldRetry } from "../../model/errors.ts";

/**
 * A refusal as the server sends it: the parameters of `$/refused`, its only message on a socket that it does not admit,
 * and the error in the body of an HTTP answer.
 */
export interface Refused {
  readonly code: string;
  readonly message: string;
  readonly action?: string;
  /** HTTP status. */
  readonly status: number;
  /** In seconds. */
  readonly retryAfter?: number;
}

/** Of a refused call, too, which has no status. */
type AnyRefused = Omit<Refused, "status"> & Partial<Refused>;

export const refusalError = ({ code, message, ...about }: AnyRefused): HubError =>
  Object.assign(new HubError<string>(code, message), about);

/**
 * Whether a call that the server refused with this code may succeed later, unchanged: codes whose HTTP status may be
 * tried again. A code of the hub's own is a refusal for good.
 */
export const isPassing = ({ code }: Pick<HubError, "code">): boolean => PASSING.includes(code);

/** Whole codes: `lobby_full` and `invalid_seat` are a hub's own. */
const PASSING: readonly string[] = [
  "rate_limited",
  "too_many_connections",
  "too_many_streams",
  "invalid_state",
  "invalid_message",
  "invalid_result",
  "state_newer",
  "interrupted",
  "timed_out",
  "client_error",
  "unavailable",
  "keys_unavailable",
  "webhook_unavailable",
  "busy",
  "room_full",
  "relay_full",
  "storage_too_new",
  "storage_corrupt",
  "misconfigured",
  "internal",
  "queue_full",
];

/** Judges the errors of one connection or stream after another, in their order. */
export class Refusals {
  readonly #renewals: number;
  #renewalsLeft!: number;

  /** `token` is the application's. After a refused token there is one attempt with another, where it is a function. */
  constructor(token: unknown) {
    this.#renewals = typeof token === "function" ? 1 : 0;
    this.admitted();
  }

  /** To be called when the server has admitted the client. */
  admitted(): void {
    this.#renewalsLeft = this.#renewals;
  }

  /** Whether an attempt may follow. An error without a status is a loss of the network, which may come back. */
  mayReturn({ status }: HubError): boolean {
    if (status === 401) return this.#renewalsLeft-- > 0;
    return status === undefined || shouldRetry(status);
  }
}
