// The part of a connection's first request that hub code may read: query and headers without credentials, limited to
// what fits into the connection's attachment, which survives hibernation.

import type { ConnectRequest } from "../../model/client-request.ts";
import { urlOf } from "../../model/request-url.ts";

/** The most characters of all names and values together. Beyond it the longest pairs are dropped, not cut. */
const CHARACTERS_AT_MOST = 4_096;
/** `id` is SignalR's connection token, and so is the last, which is .NET 11's header. */
const SECRET: ReadonlySet<string> = new Set([
  ...["authorization", "proxy-authorization", "cookie"],
  ...["access_token", "id", "x-signalr-connection-token"],
]);

/**
 * If a name is repeated in the query, the last value counts; repeated headers are joined, as HTTP has it. Cookies are
 * left out, unless the hub asks for them.
 */
export function connectRequest(request: Request, { cookies = false } = {}): ConnectRequest {
  const url = urlOf(request);
  const query = url.search === "" ? [] : [...url.searchParams].filter(([name]) => !isSecret(name));
  // Names of headers are in lower case already.
  const headers = [...request.headers].filter(
    ([name]) => !isSecretHeader(name) || (cookies && name === "cookie"),
  );
  if (sizeOf(query) + sizeOf(headers) > CHARACTERS_AT_MOST) return withinLimit(query, headers);
  return { query: Object.fromEntries(query), headers: Object.fromEntries(headers) };
}

const isSecret = (name: string): boolean => isSecretHeader(name.toLowerCase());

/** Of the WebSocket handshake's headers, subprotocols may carry a token; the others say nothing about the client. */
const isSecretHeader = (name: string): boolean =>
  SECRET.has(name) || name.startsWith("sec-websocket-");

/** Name and value of a query parameter or a header. */
type Pair = readonly [name: string, value: string];

const sizeOf = (pairs: readonly Pair[]): number =>
  pairs.reduce((size, [name, value]) => size + name.length + value.length, 0);

/** Keeps the shortest pairs, as many as fit, so that one long value does not displace the others. */
function withinLimit(query: readonly Pair[], headers: readonly Pair[]): ConnectRequest {
  let size = 0;
  const fitting = new Set(
    [...query, ...headers]
      .toSorted((a, b) => sizeOf([a]) - sizeOf([b]))
      .filter((pair) => (size += sizeOf([pair])) <= CHARACTERS_AT_MOST),
  );
  const kept = (pairs: readonly Pair[]) =>
    Object.fromEntries(pairs.filter((one) => fitting.has(one)));
  return { query: kept(query), headers: kept(headers) };
}
