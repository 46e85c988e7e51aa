// Large answers and long streams by the stock client: every transport carries them, those with a replay buffer too.

import { HttpTransportType } from "@microsoft/signalr";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Endpoint } from "../../support/endpoint.ts";
import { sharedTestEndpoint } from "../../support/shared-endpoint.ts";
import { ROWS, visit, type Row } from "./connections.ts";

let endpoint: Endpoint;
beforeAll(async () => void (endpoint = await sharedTestEndpoint()));
afterAll(() => endpoint[Symbol.asyncDispose]());

const COUNT = 200;
/** Stock clients confirm once a second, and 100 kB may be under way: as with ASP.NET Core, that is their pace. */
const STATEFUL_COUNT = 60;
const ITEM_CHARS = 20_000;
const LARGE_CHARS = 1_500_000;

const isResumable = ({ options }: Row): boolean =>
  options.transport === HttpTransportType.WebSockets && !options.skipNegotiation;

const visits = [
  ...ROWS.map((row) => ({ ...row, row, hub: "signalr", stateful: false })),
  ...ROWS.filter(isResumable).map((row) => ({
    ...{ row, hub: "signalr-stateful", stateful: true },
    name: `${row.name}, stateful`,
  })),
];

describe.each(visits)("large messages", ({ name, row, hub, stateful }) => {
  it(`${name}: gets a stream of megabytes, an answer of 1.5 MB and four asked for together, and lives on`, async () => {
    const count = stateful ? STATEFUL_COUNT : COUNT;
    await using alice = await visit({ endpoint, row, hub }, { stateful });
    const items = (await alice.items("Bulk", count, ITEM_CHARS)) as string[];
    expect(items.map((item) => [Number.parseInt(item, 10), item.length])).toEqual(
      Array.from({ length: count }, (_, n) => [n, ITEM_CHARS]),
    );
    expect(((await alice.invoke("Large", LARGE_CHARS)) as string).length).toBe(LARGE_CHARS);
    const together = await Promise.all([1, 2, 3, 4].map(() => alice.invoke("Large", 600_000)));
    expect(together.map((answer) => (answer as string).length)).toEqual(Array(4).fill(600_000));
    expect(await alice.invoke("Add", 2, 3)).toBe(5);
  });
});
