// The part of a connection's first request that hub code may read: query and headers without credentials, limited to
// what fits into the connection's attachment, which survives hibernation.

import type { ConnectRequest } from "../../model/client-request.ts";

/** Characters of all names and values together. Beyond it the longest pairs are dropped, not cut. */
const CHARACTERS_AT_MOST = 4_096;
/** `id` is SignalR's connection token. */
const SECRET: ReadonlySet<string> = new Set(["authorization", "cookie", "access_token", "id"]);

/**
 * Of a name that is repeated in the query the last value counts; repeated headers are joined, as HTTP has it. Cookies
 * are left out, unless the hub asks for them.
 */
export function connectRequest(request: Request, { cookies = false } = {}): ConnectRequest {
  const headers = [...request.headers].map(([name, value]) => ({ name, value, in: "headers" }));
  const query = [...new URL(request.url).searchParams].map(([name, value]) => {
    return { name, value, in: "query" };
  });
  const fitting = withinLimit(
    [...query, ...headers].filter(
      (pair) => !isSecret(pair.name.toLowerCase()) || (cookies && isCookie(pair)),
    ),
  );
  const part = (where: string) =>
    Object.fromEntries(
      fitting.filter((pair) => pair.in === where).map(({ name, value }) => [name, value]),
    );
  return { query: part("query"), headers: part("headers") };
}

/** Of the headers of the WebSocket handshake, subprotocols may carry a token; the others say nothing of the client. */
const isSecret = (name: string): boolean => SECRET.has(name) || name.startsWith("sec-websocket-");

const isCookie = ({ name, in: where }: Pair): boolean => name === "cookie" && where === "headers";

/** A parameter of the query, or a header. */
interface Pair {
  readonly name: string;
  readonly value: string;
  readonly in: string;
}

/** The shortest pairs that fit together, so that one long value does not displace the others. */
function withinLimit(pairs: readonly Pair[]): Pair[] {
  let size = 0;
  const sizeOf = ({ name, value }: Pair) => name.length + value.length;
  return pairs
    .toSorted((a, b) => sizeOf(a) - sizeOf(b))
    .filter((pair) => (size += sizeOf(pair)) <= CHARACTERS_AT_MOST);
}
