// Browsers' questions before and after a page of another origin negotiates: with credentials, as the stock client asks.

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Endpoint } from "../../support/endpoint.ts";
import { startEngine } from "../../support/engine.ts";

const PAGE = "https://app.example";
const NEGOTIATE = "/hubs/chat/negotiate?negotiateVersion=1";

let endpoint: Endpoint;
let authorization: string;
beforeAll(async () => {
  endpoint = await startEngine({ vars: { ALLOWED_ORIGINS: PAGE } });
  authorization = `Bearer ${await endpoint.token("alice")}`;
});
afterAll(() => endpoint[Symbol.asyncDispose]());

const post = (headers: Readonly<Record<string, string>>): Promise<Response> =>
  fetch(endpoint.url + NEGOTIATE, { method: "POST", headers });

/** What a browser asks before it posts with headers of its own. */
const preflight = (path: string, origin: string): Promise<Response> =>
  fetch(endpoint.url + path, {
    method: "OPTIONS",
    headers: {
      origin,
      "access-control-request-method": "POST",
      "access-control-request-headers": ASKED.join(","),
    },
  });

const ASKED = [
  "authorization",
  "x-requested-with",
  "x-signalr-connection-token",
  "x-signalr-user-agent",
];

const allowed = ({ status, headers }: Response) => ({
  status,
  origin: headers.get("access-control-allow-origin"),
  credentials: headers.get("access-control-allow-credentials"),
});

const listOf = (response: Response, header: string): string[] =>
  (response.headers.get(header) ?? "").toLowerCase().split(/\s*,\s*/);

describe("a page of another origin", () => {
  it.each([NEGOTIATE, "/hubs/chat?id=x", "/hubs/chat/?id=x", "/hubs/chat/refresh"])(
    "that is allowed asks first for %s, and may",
    async (path) => {
      const response = await preflight(path, PAGE);
      expect(allowed(response)).toEqual({ status: 204, origin: PAGE, credentials: "true" });
      expect(listOf(response, "access-control-allow-headers")).toEqual(
        expect.arrayContaining(ASKED),
      );
      expect(listOf(response, "access-control-allow-methods")).toContain("post");
      expect(listOf(response, "vary")).toContain("origin");
    },
  );

  it("that is allowed reads answers and refusals", async () => {
    const mine = { origin: PAGE, credentials: "true" };
    const answer = await post({ origin: PAGE, authorization });
    expect(allowed(answer)).toEqual({ status: 200, ...mine });
    expect(listOf(answer, "vary")).toContain("origin");
    expect(allowed(await post({ origin: PAGE }))).toEqual({ status: 401, ...mine });
  });

  it("that is not allowed may ask nothing and reads nothing", async () => {
    const origin = "https://evil.example";
    expect(allowed(await post({ origin, authorization }))).toEqual({
      ...{ status: 403, origin: null, credentials: null },
    });
    expect(allowed(await preflight(NEGOTIATE, origin))).toMatchObject({ origin: null });
  });
});
