// Holds the endpoints that test files share: `GET /real` and `GET /test` answer where one is. The first to ask has it
// started.

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { startEndpoint, type Endpoint } from "./endpoint.ts";
import type { Kind, Shared } from "./shared-endpoint.ts";
import { startTestEndpoint } from "./test-endpoint.ts";

const START: Readonly<Record<Kind, () => Promise<Endpoint>>> = {
  real: startEndpoint,
  test: startTestEndpoint,
};

export interface Lender extends AsyncDisposable {
  readonly url: string;
}

export async function lendEndpoints(): Promise<Lender> {
  const started = new Map<Kind, Promise<Endpoint>>();
  const endpointOf = (kind: Kind): Promise<Endpoint> => {
    const endpoint = started.get(kind) ?? START[kind]();
    started.set(kind, endpoint);
    return endpoint;
  };
  const server = createServer(({ url = "" }, response) => {
    endpointOf(url.slice(1) as Kind).then(
      ({ port, keys }) => response.end(JSON.stringify({ port, keys } satisfies Shared)),
      (error: unknown) => response.writeHead(500).end(String(error)),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.close();
      const ends = [...started.values()].map(async (one) => (await one)[Symbol.asyncDispose]());
      await Promise.allSettled(ends);
    },
  };
}
