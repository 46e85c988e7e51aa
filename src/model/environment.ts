// Helpers for readers of environment variables: caching by value, empty texts, and checks of URLs.

/** The most configurations cached in an isolate. One or two occur; tests use more. */
const MAX_CACHED = 32;

/**
 * Caches `read` by the values of these variables: reading imports keys, and objects wake often. A `read` that throws is
 * not cached, and is repeated at the next call.
 */
export function cacheByValues<E extends object, T>(
  names: readonly (keyof E)[],
  read: (env: E) => T,
): (env: E) => T {
  const cached = new Map<string, T>();
  let last: { readonly values: readonly unknown[]; readonly value: T } | undefined;
  return (env) => {
    // The usual case: a worker has one environment, and this runs for every request.
    if (last?.values.every((value, at) => value === env[names[at]!])) return last.value;
    const values = names.map((name) => env[name]);
    const key = JSON.stringify(values);
    const value = cached.get(key) ?? read(env);
    if (cached.size >= MAX_CACHED) cached.clear();
    cached.set(key, value);
    last = { values, value };
    return value;
  };
}

/** The text of a variable or setting. An empty one counts as unset. */
export const textOf = (value: unknown): string | undefined =>
  typeof value === "string" && value !== "" ? value : undefined;

const LOOPBACK_HOSTS: ReadonlySet<string> = new Set(["localhost", "127.0.0.1", "[::1]"]);

/** Whether a URL's host name is this machine. IPv6 has its brackets, as in `URL.hostname`. */
export const isLoopback = (hostname: string): boolean => LOOPBACK_HOSTS.has(hostname);

/** RFC 7518 §3.2: a key of HMAC-SHA-256 has at least as many bytes as its hash. */
export const MIN_HMAC_KEY_BYTES = 32;

/**
 * The URL, if the server may fetch it: https, or http on a loopback host. Otherwise the problem, as the end of a
 * sentence.
 */
export function secureUrl(text: string): URL | "is no URL." | "is not https." {
  if (!URL.canParse(text)) return "is no URL.";
  const url = new URL(text);
  const isLocal = url.protocol === "http:" && isLoopback(url.hostname);
  return url.protocol === "https:" || isLocal ? url : "is not https.";
}

/** Whether the worker runs on a developer's machine: `npm run dev` and `dormouse dev` set `DEVELOPMENT`. */
export const isDevelopment = (env: object): boolean =>
  (env as { readonly DEVELOPMENT?: unknown }).DEVELOPMENT === "1";
