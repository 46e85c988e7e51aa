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
 * tried again. A code of the hub's own, such as `lobby_full`, is a refusal for good. One text is less to load than a
 * list.
 */
export const isTemporary = ({ code }: Pick<HubError, "code">): boolean =>
  (
    "busy client_error internal interrupted invalid_message invalid_result invalid_state keys_unavailable " +
    "misconfigured queue_full rate_limited relay_full room_full state_newer storage_corrupt storage_too_new " +
    "timed_out too_many_connections too_many_streams unavailable webhook_unavailable"
  )
    .split(" ")
    .includes(code);

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
