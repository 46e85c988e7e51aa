// The stock JavaScript client's values, each with the outcome that ASP.NET Core has, or that docs/signalr.md names.

import { afterAll, beforeAll, expect, it } from "vitest";
import type { Endpoint } from "../../support/endpoint.ts";
import { sharedTestEndpoint } from "../../support/shared-endpoint.ts";
import { reportValues } from "../../support/value-report.ts";

let endpoint: Endpoint;
beforeAll(async () => void (endpoint = await sharedTestEndpoint()));
afterAll(() => endpoint[Symbol.asyncDispose]());

it("values come back as from ASP.NET Core, but for documented differences", async () => {
  const token = () => endpoint.token("alice");
  const reports = await reportValues({ url: endpoint.url, token, isReference: false });
  expect(reports.map(({ protocol }) => protocol)).toEqual(["JSON", "MessagePack"]);
  expect(reports.flatMap(({ differing }) => differing)).toEqual([]);
});
