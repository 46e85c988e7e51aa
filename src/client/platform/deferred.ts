// A promise with its resolve and reject functions: `Promise.withResolvers`, which Node 20 and Safari before 17.4 lack.

export interface Deferred<T> {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
  readonly reject: (error: unknown) => void;
}

export function deferred<T>(): Deferred<T> {
  let functions!: Omit<Deferred<T>, "promise">;
  const promise = new Promise<T>((resolve, reject) => (functions = { resolve, reject }));
  return { promise, ...functions };
}
