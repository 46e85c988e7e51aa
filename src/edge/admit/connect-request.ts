// What hub code may know of the request a connection began with: its query and headers, without what is secret, and
// no more than fits beside a connection.

import type { ConnectRequest } from "../../model/client-request.ts";

/** Characters of all names and values; the longest values are left out first. */
const MOST = 4_096;
const SECRET: ReadonlySet<string> = new Set(["authorization", "cookie", "access_token", "id"]);

export function connectRequest(request: Request): ConnectRequest {
  const headers = [...request.headers].map(([name, value]) => ({ name, value, in: "headers" }));
  const query = [...new URL(request.url).searchParams].map(([name, value]) => {
    return { name, value, in: "query" };
  });
  const fitting = within(
    [...query, ...headers].filter(({ name }) => !isSecret(name.toLowerCase())),
  );
  const part = (where: string) =>
    Object.fromEntries(
      fitting.filter((one) => one.in === where).map(({ name, value }) => [name, value]),
    );
  return { query: part("query"), headers: part("headers") };
}

const isSecret = (name: string): boolean => SECRET.has(name) || name.startsWith("sec-websocket-");

interface Pair {
  readonly name: string;
  readonly value: string;
  readonly in: string;
}

function within(pairs: readonly Pair[]): Pair[] {
  let size = 0;
  const sizeOf = ({ name, value }: Pair) => name.length + value.length;
  return pairs
    .toSorted((a, b) => sizeOf(a) - sizeOf(b))
    .filter((pair) => (size += sizeOf(pair)) <= MOST);
}
