// An object with a method for every name: the implementation of `invoke`, `send` and `stream`.

/**
 * Every string property is a function that calls `call` with its name and arguments. `then` is excepted: a proxy that
 * had this method would be taken for a promise by `await`, which would never settle.
 */
export const methodProxy = (call: (method: string, args: unknown[]) => unknown): object =>
  new Proxy(
    {},
    {
      get: (_, method) =>
        typeof method === "string" && method !== "then"
          ? (...args: unknown[]) => call(method, args)
          : undefined,
    },
  );
