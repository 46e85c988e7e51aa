// What configurations read from the environment have in common.

/** An isolate sees one or two. */
const KNOWN_AT_MOST = 32;

/** Remembered by the values of these variables: reading imports keys, and objects wake often. What throws is read again. */
export function byValues<E extends object, T>(
  names: readonly (keyof E)[],
  read: (env: E) => T,
): (env: E) => T {
  const known = new Map<string, T>();
  return (env) => {
    const values = JSON.stringify(names.map((name) => env[name]));
    const found = known.get(values);
    if (found !== undefined) return found;
    const fresh = read(env);
    if (known.size >= KNOWN_AT_MOST) known.clear();
    known.set(values, fresh);
    return fresh;
  };
}

const LOOPBACK: ReadonlySet<string> = new Set(["localhost", "127.0.0.1", "[::1]"]);

/** A URL that may be asked: https, or http on this machine. Otherwise what is wrong with it. */
export function secureUrl(text: string): URL | "is no URL." | "is not https." {
  if (!URL.canParse(text)) return "is no URL.";
  const url = new URL(text);
  const isLocal = url.protocol === "http:" && LOOPBACK.has(url.hostname);
  return url.protocol === "https:" || isLocal ? url : "is not https.";
}
