// Waiting that ends: when its time is over, or when nobody waits any more. No timer outlives it.

import type { HubError } from "../../model/errors.ts";
import { deferred } from "./deferred.ts";

export interface Patience {
  readonly ms: number;
  /** When it is aborted, waiting rejects at once. */
  readonly signal: AbortSignal;
  /** What waiting rejects with when the time is over. */
  readonly late: () => HubError;
}

export function within<T>(work: Promise<T>, { ms, signal, late }: Patience): Promise<T> {
  const { promise, resolve, reject } = deferred<T>();
  const timer = setTimeout(() => reject(late()), ms);
  work.then(resolve, reject);
  return unlessAborted({ promise, reject }, signal).finally(() => clearTimeout(timer));
}

export function pause(ms: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = deferred<void>();
  const timer = setTimeout(() => resolve(), ms);
  return unlessAborted({ promise, reject }, signal).finally(() => clearTimeout(timer));
}

interface Waiting<T> {
  readonly promise: Promise<T>;
  readonly reject: (error: unknown) => void;
}

function unlessAborted<T>({ promise, reject }: Waiting<T>, signal: AbortSignal): Promise<T> {
  const stop = () => reject(signal.reason);
  if (signal.aborted) stop();
  else signal.addEventListener("abort", stop);
  return promise.finally(() => signal.removeEventListener("abort", stop));
}
