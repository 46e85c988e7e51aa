// Abort signals of calls. Connect aborts a call's signal when its caller has gone or its deadline has passed, with the
// error as the reason; it does not interrupt promises for which the handler waits.

/** Runs the listener when the signal is aborted, or at once if it already is. */
export function onAbort(signal: AbortSignal, listener: () => void): void {
  signal.addEventListener("abort", listener);
  if (signal.aborted) listener();
}

/** Settles like `work`, or rejects with the signal's reason as soon as it is aborted. The work itself continues. */
export async function untilAborted<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  const aborted = Promise.withResolvers<never>();
  const abort = () => aborted.reject(signal.reason);
  onAbort(signal, abort);
  try {
    return await Promise.race([work, aborted.promise]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}
