// A refusal of the server as the application sees it, and whether another attempt may be made after it.

import { HubError, shouldRetry } from "../../model/errors.ts";

/**
 * A refusal as the server sends it: as the parameters of `$/refused`, the only message on a refused socket, and as the
 * error in the body of an HTTP answer.
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

/** A refusal, or the error of a refused call, which has no status. */
type AnyRefused = Omit<Refused, "status"> & Partial<Refused>;

export const refusalError = ({ code, message, ...about }: AnyRefused): HubError =>
  Object.assign(new HubError<string>(code, message), about);

/**
 * Whether a call that the server refused with this code may succeed later, unchanged: codes whose HTTP status allows
 * another attempt. A code of the hub's own, such as `lobby_full`, is final. One text is shorter to load than a list.
 */
export const isTemporary = ({ code }: Pick<HubError, "code">): boolean =>
  (
    "busy client_error internal interrupted invalid_message invalid_result invalid_state keys_unavailable " +
    "misconfigured queue_full rate_limited relay_full room_full state_newer storage_corrupt storage_too_new " +
    "timed_out too_many_connections too_many_streams unavailable webhook_unavailable"
  )
    .split(" ")
    .includes(code);

/** Decides after the errors of successive connections or streams whether another attempt may follow. */
export class Refusals {
  readonly #renewals: number;
  #renewalsLeft!: number;

  /**
   * `token`: the application's option. If it is a function, a refused token is followed by one attempt with another.
   */
  constructor(token: unknown) {
    this.#renewals = typeof token === "function" ? 1 : 0;
    this.admitted();
  }

  /** To be called when the server has admitted the client. */
  admitted(): void {
    this.#renewalsLeft = this.#renewals;
  }

  /** Whether an attempt may follow. It always may after an error without a status, such as a lost network. */
  mayReturn({ status }: HubError): boolean {
    if (status === 401) return this.#renewalsLeft-- > 0;
    return status === undefined || shouldRetry(status);
  }
}
