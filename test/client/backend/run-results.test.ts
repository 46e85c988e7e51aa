// Results of actions that a service runs: as the endpoint answers them, and as `RemoteHub` types them.

import { expect, it } from "vitest";
import { backend } from "../../../src/client/backend/index.ts";
import type { RemoteHub } from "../../../src/client/index.ts";
import { endpoint, URL_OF_HUB } from "./endpoint.ts";

type LotHub = RemoteHub<{
  methods: {};
  actions: { leader(): string | null; close(): void };
  room: { kind: "group"; view: { price: number } };
}>;

const ANSWER = { epoch: "e", offset: 1, repeated: false };

const lotsOf = (result: unknown) =>
  backend<LotHub>({
    ...{ url: URL_OF_HUB, accessKey: "a key of a service with 32 bytes or more" },
    fetcher: endpoint({ ...ANSWER, result }),
  });

it("keeps the null of an action, which is not undefined", async () => {
  const leader: string | null = await lotsOf(null).group("vase").run.leader();
  expect(leader).toBeNull();
  expect(await lotsOf("alice").group("vase").run.leader()).toBe("alice");
});

it("has null for an action that returns nothing, as every client has", async () => {
  expect(await lotsOf(null).group("vase").run.close()).toBeNull();
});
