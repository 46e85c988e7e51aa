// Errors as values, for calls between objects: the platform logs exceptions of an object's method as uncaught, and an
// error of a client is no fault of the object.

import { HubError, publicError } from "../../model/errors.ts";

export interface Fault {
  readonly code: string;
  readonly message: string;
  /** Whether the server itself, and not hub code, has thrown it. */
  readonly isOwn?: true;
  /** Shown to callers if the hub shows details. */
  readonly detail?: string;
  /** Seconds until a repetition may succeed. */
  readonly retryAfter?: number;
}

/** The error for the calling side. An object with older code does not mark errors of the server itself. */
export const errorOf = ({ code, message, isOwn, detail, retryAfter }: Fault): HubError<string> =>
  Object.assign(
    new HubError<string>(code, message),
    (isOwn || code === "internal") && { isOwn: true as const },
    detail !== undefined && { detail },
    retryAfter !== undefined && { retryAfter },
  );

export const faultOf = ({ code, message, isOwn, detail, retryAfter }: HubError<string>): Fault => ({
  ...{ code, message, ...(isOwn && { isOwn }) },
  ...(detail !== undefined && { detail }),
  ...(retryAfter !== undefined && { retryAfter }),
});

/** The result of a client's method, or its error. */
export type ClientResult = { readonly result: unknown } | { readonly fault: Fault };

/** The result or the error as a value. Rejects with unexpected errors (`internal`). */
export async function clientResult(work: Promise<unknown>): Promise<ClientResult> {
  try {
    return { result: await work };
  } catch (error) {
    const { code, message } = publicError(error);
    if (code === "internal") throw error;
    return { fault: { code, message } };
  }
}

/** A refusal as a value: the platform logs exceptions, and clients may cause any number of them. */
export interface Refused {
  readonly fault: Fault;
}

/** A `HubError` as a value, counted by `counts` unless the caller has gone (`interrupted`). Rejects with others. */
export async function refusable<T>(
  work: Promise<T>,
  counts?: { refused(code: string): void },
): Promise<T | Refused> {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof HubError)) throw error;
    if (error.code !== "interrupted") counts?.refused(error.code);
    return { fault: faultOf(error) };
  }
}

/** Throws the refusal, if it is one. */
export function unlessRefused<T>(answer: T | Refused): T {
  if (typeof answer !== "object" || answer === null || !("fault" in answer)) return answer as T;
  throw errorOf(answer.fault);
}
