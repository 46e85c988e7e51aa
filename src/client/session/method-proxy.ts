// Methods by whatever name they are asked for: what stands behind `invoke`, `send` and `stream`.

/** `then` is nobody's method: a proxy that had one would never come out of an `await`. */
export const named = (call: (method: string, args: unknown[]) => unknown): object =>
  new Proxy(
    {},
    {
      get: (_, method) =>
        typeof method === "string" && method !== "then"
          ? (...args: unknown[]) => call(method, args)
          : undefined,
    },
  );
