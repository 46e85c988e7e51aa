// Waiting with a time limit and an abort signal. Neither timers nor abort listeners remain afterwards.

import type { HubError } from "../../model/errors.ts";
import { deferred } from "./deferred.ts";
import { after, limit } from "./timer.ts";

export interface Timeout {
  readonly ms: number;
  /** Its abort rejects at once, with the signal's reason. */
  readonly signal: AbortSignal;
  /** The error for an exceeded time limit. */
  readonly error: () => HubError;
}

/** Settles like `work`, unless the time limit or the signal comes first. Does not stop `work` itself. */
export function withTimeout<T>(work: Promise<T>, { ms, signal, error }: Timeout): Promise<T> {
  const { promise, resolve, reject } = deferred<T>();
  const cancel = limit(ms, () => reject(error()));
  work.then(resolve, reject);
  return unlessAborted({ promise, reject }, signal).finally(cancel);
}

/** Resolves after `ms`; rejects with the signal's reason on abort. */
export function delay(ms: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = deferred<void>();
  const cancel = after(ms, () => resolve());
  return unlessAborted({ promise, reject }, signal).finally(cancel);
}

interface Rejectable<T> {
  readonly promise: Promise<T>;
  readonly reject: (error: unknown) => void;
}

function unlessAborted<T>({ promise, reject }: Rejectable<T>, signal: AbortSignal): Promise<T> {
  const abort = () => reject(signal.reason);
  if (signal.aborted) abort();
  else signal.addEventListener("abort", abort);
  return promise.finally(() => signal.removeEventListener("abort", abort));
}
