// An error as it travels between objects, and answers that may be one: the platform logs what an object's method throws
// as uncaught, and a client's error is no fault of the object.

import { HubError, publicError } from "../../model/errors.ts";

export interface Fault {
  readonly code: string;
  readonly message: string;
  /** Whether the server itself threw it. */
  readonly isOwn?: true;
  /** For callers of hubs that show it. */
  readonly detail?: string;
  /** Seconds. */
  readonly retryAfter?: number;
}

/** The error as it is thrown on this side. An object of an older version does not mark the server's own. */
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

/** Rejects for an error that is none of the hub's. */
export async function clientResult(work: Promise<unknown>): Promise<ClientResult> {
  try {
    return { result: await work };
  } catch (error) {
    const { code, message } = publicError(error);
    if (code === "internal") throw error;
    return { fault: { code, message } };
  }
}

/** Throws the error, if it is one. */
export function resultOf(reply: ClientResult): unknown {
  if ("fault" in reply) throw errorOf(reply.fault);
  return reply.result;
}

/** A refusal as a value: the platform logs exceptions, and clients may cause as many as they like. */
export interface Refused {
  readonly fault: Fault;
}

/** A `HubError` as a value, which `counts` counts, but for a caller that has gone. Other errors are thrown. */
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
