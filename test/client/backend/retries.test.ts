// Retries: which calls are repeated, after which failures, how often and with which key, and the errors of failed
// calls.

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { backend, type Backend } from "../../../src/client/backend/index.ts";
import { endpoint, orders, pausesAreOver, refusal, URL_OF_HUB } from "./endpoint.ts";
import type { Answer, OrderHub } from "./endpoint.ts";

const AT = { epoch: "e1", offset: 7 };
const LOST = new TypeError("Network connection lost.");
const publish = (hub: Backend<OrderHub>) =>
  hub.clients.order("42").orderStatusChanged("42", "shipped");
const invoke = (hub: Backend<OrderHub>) => hub.clients.connection("c1").invoke.confirm("?");
const keyOf = ({ body }: { readonly body: unknown }) =>
  (body as { idempotency_key?: string }).idempotency_key;

let pauses: number[];
beforeEach(() => void (pauses = pausesAreOver()));
afterEach(() => void vi.restoreAllMocks());

const AGAIN: [string, Answer][] = [
  ["a lost connection", LOST],
  ["whatever else a fetch throws", new Error("internal error; reference = x")],
  ...[408, 429, 500, 502, 503, 504, 520, 599].map((status): [string, Answer] => [
    `${status}`,
    status,
  ]),
  ["an answer that breaks off", () => Promise.resolve(new Response(broken()))],
];

const broken = () => new ReadableStream({ pull: (controller) => controller.error(LOST) });

describe("what may be repeated", () => {
  it.each(AGAIN)("is, after %s, with the same key", async (_, failure) => {
    const fake = endpoint(failure, failure, AT);
    await publish(orders(fake));
    expect(fake.requests.length).toBe(3);
    const [key, ...others] = fake.requests.map(keyOf);
    expect(key).toMatch(/^[0-9a-f-]{36}$/);
    expect(others).toEqual([key, key]);
    // Full jitter with a random value of 0.5: half of 250 and of 500 ms.
    expect(pauses).toEqual([125, 250]);
  });

  it.each<[string, (hub: Backend<OrderHub>) => unknown, Answer]>([
    ["add", (h) => h.group("lobby").add("c1"), 200],
    ["remove", (h) => h.group("lobby").remove("c1"), 200],
    ["history", (h) => h.group("lobby").history(), { ...AT, publications: [] }],
    ["ban", (h) => h.user("bob").ban({ seconds: 1 }), 204],
    ["isConnected", (h) => h.user("bob").isConnected(), 200],
  ])("is %s", async (_, call, answer) => {
    const fake = endpoint(LOST, 503, answer);
    await call(orders(fake));
    expect(fake.requests.length).toBe(3);
  });

  it.each([
    [400, "invalid_arguments"],
    [401, "token_expired"],
    [403, "forbidden"],
    [404, "hub_not_found"],
    [410, "history_gone"],
    [413, "too_large"],
    [500, "invalid_state"],
    [500, "state_newer"],
    [500, "misconfigured"],
    [501, "not_implemented"],
  ])("is not, after %i: its code is the error's", async (status, code) => {
    const fake = endpoint(refusal(status, code));
    await expect(publish(orders(fake))).rejects.toMatchObject({
      ...{ name: "HubError", code, message: `It is ${code}.`, status },
    });
    expect(fake.requests.length).toBe(1);
    expect(pauses).toEqual([]);
  });

  it("says what to do about a refusal", async () => {
    const fake = endpoint(refusal(401, "token_wrong_issuer"));
    await expect(publish(orders(fake))).rejects.toMatchObject({
      action: "Compare the claim `iss` with JWT_ISSUER of the server.",
    });
  });

  it("is given up after five attempts, with the last one's code", async () => {
    const fake = endpoint(LOST, LOST, LOST, LOST, refusal(503, "relay_full"));
    await expect(publish(orders(fake))).rejects.toMatchObject({ code: "relay_full" });
    expect(fake.requests.length).toBe(5);
    expect(pauses).toEqual([125, 250, 500, 1_000]);
  });

  it("is given up as unreachable, with what was thrown", async () => {
    const fake = endpoint(LOST);
    const hub = backend<OrderHub>({ url: URL_OF_HUB, token: "t", fetcher: fake, attempts: 2 });
    await expect(publish(hub)).rejects.toMatchObject({ code: "unreachable", cause: LOST });
    expect(fake.requests.length).toBe(2);
  });

  it.each([429, 503])("waits, after %i, for as long as the server says", async (status) => {
    const fake = endpoint(refusal(status, "rate_limited", { "retry-after": "3" }), AT);
    await publish(orders(fake));
    expect(pauses).toEqual([3_000]);
  });

  it("waits no longer than the call may take: it fails at once", async () => {
    const fake = endpoint(refusal(429, "rate_limited", { "retry-after": "31" }), AT);
    await expect(publish(orders(fake))).rejects.toMatchObject({
      ...{ code: "rate_limited", status: 429, retryAfter: 31 },
    });
    expect([fake.requests.length, pauses]).toEqual([1, []]);
  });

  it("pauses as the application says, up to its longest", async () => {
    const backoff = { baseMs: 10, capMs: 30 };
    const fake = endpoint(503, 503, 503, 503, AT);
    await publish(backend<OrderHub>({ url: URL_OF_HUB, token: "t", fetcher: fake, backoff }));
    expect(pauses).toEqual([5, 10, 15, 15]);
  });
});

describe.each([
  ["a question to a client", invoke],
  ["a message to one client", (h) => h.clients.connection("c1").send.orderStatusChanged("", "")],
] satisfies [string, typeof invoke | typeof publish][])("%s", (_, call) => {
  it.each<[string, Answer, string]>([
    ["a lost connection", LOST, "unreachable"],
    ["408", 408, "timed_out"],
    ["500", 500, "internal"],
    ["503", 503, "unavailable"],
  ])("is not repeated after %s: it may have arrived", async (_what, failure, code) => {
    const fake = endpoint(failure, { result: true });
    await expect(call(orders(fake))).rejects.toMatchObject({ code });
    expect(fake.requests.length).toBe(1);
  });

  it("is repeated after 429: it was not even read", async () => {
    const fake = endpoint(refusal(429, "rate_limited", { "retry-after": "1" }), { result: true });
    await call(orders(fake));
    expect([fake.requests.length, pauses]).toEqual([2, [1_000]]);
  });
});

describe("an error", () => {
  it.each<[string, Response, string, string]>([
    ["a body's", refusal(409, "a_code"), "a_code", "It is a_code."],
    [
      "a header's",
      new Response(null, { status: 404, headers: { "x-dormouse-error": "hub_not_found" } }),
      "hub_not_found",
      "The endpoint answered 404.",
    ],
    [
      "Azure's header's",
      new Response(null, { status: 400, headers: { "x-ms-error-code": "Bad" } }),
      "Bad",
      "The endpoint answered 400.",
    ],
    [
      "its status's, where a proxy answers in HTML",
      new Response("<html>", { status: 403, headers: { "content-type": "text/html" } }),
      "forbidden",
      "The endpoint answered 403.",
    ],
    ...["null", "[null]", '"text"', "1"].map((body): [string, Response, string, string] => [
      `its status's, where a proxy answers ${body}`,
      new Response(body, { status: 403, headers: { "content-type": "application/json" } }),
      "forbidden",
      "The endpoint answered 403.",
    ]),
    [
      "that of a redirect",
      Response.redirect("https://elsewhere/"),
      "invalid_request",
      "The endpoint answered 302.",
    ],
    [
      "that of a page that is no endpoint",
      new Response("<html>"),
      "malformed",
      "The answer is not JSON: check that the URL is the endpoint's.",
    ],
  ])("has %s code", async (_, answer, code, message) => {
    const fake = endpoint(answer);
    await expect(publish(orders(fake))).rejects.toMatchObject({ name: "HubError", code, message });
    expect(fake.requests.length).toBe(1);
  });

  it("reads an answer that came packed: whoever fetched it has unpacked it", async () => {
    const headers = { "content-encoding": "gzip", "content-type": "application/json" };
    const fake = endpoint(new Response('{"result":true}', { headers }));
    expect(await invoke(orders(fake))).toBe(true);
  });

  it("holds no token", async () => {
    const hub = backend<OrderHub>({ url: URL_OF_HUB, token: "s3cret", fetcher: endpoint(403) });
    const error = await publish(hub).catch((failed: Error) => failed);
    expect(error).not.toHaveProperty("cause");
    expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toContain("s3cret");
  });

  it("is thrown where a hub is missing, and not only somebody in it", async () => {
    const fake = endpoint(refusal(404, "hub_not_found"));
    await expect(orders(fake).connection("c1").exists()).rejects.toMatchObject({
      code: "hub_not_found",
    });
  });
});
