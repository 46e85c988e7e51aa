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

export const refusalError = ({ code, message, ...about }: Refused): HubError =>
  Object.assign(new HubError<string>(code, message), about);

/** Judges the errors of one connection or stream after another, in their order. */
export class Refusals {
  readonly #hasTokenFunction: boolean;
  /** A token was refused since the last one was accepted. */
  #isTokenRefused = false;

  constructor(hasTokenFunction: boolean) {
    this.#hasTokenFunction = hasTokenFunction;
  }

  /** To be called when the server has admitted the client. */
  admitted(): void {
    this.#isTokenRefused = false;
  }

  /**
   * Whether an attempt may follow this error. Without a status it is a loss of the network, which may come back. After a
   * refused token there is one attempt with another, where the application has a function that fetches it.
   */
  mayReturn({ status }: HubError): boolean {
    if (status === undefined) return true;
    if (status !== 401) return shouldRetry(status);
    const isFirst = !this.#isTokenRefused;
    this.#isTokenRefused = true;
    return isFirst && this.#hasTokenFunction;
  }
}
