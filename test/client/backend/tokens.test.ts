// Credentials of a backend: the tokens in its requests, when it fetches or signs another one, and the endpoint's URL.

import { jwtVerify } from "jose";
import { afterEach, describe, expect, it, vi } from "vitest";
import { backend, type BackendOptions, type Backend } from "../../../src/client/backend/index.ts";
import { tokensOf } from "../../../src/client/backend/service-tokens.ts";
import { API, endpoint, refusal, URL_OF_HUB, type OrderHub } from "./endpoint.ts";

const KEY = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789ABCDEFGH";
const EXPIRED = refusal(401, "token_expired");

const ban = (hub: Backend<OrderHub>, user = "bob") => hub.user(user).ban({ seconds: 1 });
const sentTokens = ({ requests }: ReturnType<typeof endpoint>) =>
  requests.map(({ headers }) => headers["authorization"]?.replace("Bearer ", "") ?? "");
const withToken = (fetcher: ReturnType<typeof endpoint>, token: () => string | Promise<string>) =>
  backend<OrderHub>({ url: URL_OF_HUB, token, fetcher });

const jwt = (claims: object) => `h.${btoa(JSON.stringify(claims)).replaceAll("=", "")}.s`;
const counting = () => {
  let count = 0;
  return () => `t${++count}`;
};

afterEach(() => void vi.useRealTimers());

describe("a token", () => {
  it("that is text is shown, and its refusal is the end of it", async () => {
    const fake = endpoint(EXPIRED);
    const hub = backend<OrderHub>({ url: URL_OF_HUB, token: "t", fetcher: fake });
    await expect(ban(hub)).rejects.toMatchObject({ code: "token_expired" });
    expect(sentTokens(fake)).toEqual(["t"]);
  });

  it("is asked for once, and held", async () => {
    const fake = endpoint(204);
    const hub = withToken(fake, counting());
    await Promise.all([ban(hub), ban(hub)]);
    await ban(hub);
    expect(sentTokens(fake)).toEqual(["t1", "t1", "t1"]);
  });

  it("is asked for again before it ends", async () => {
    vi.useFakeTimers({ toFake: ["Date"], now: 0 });
    const fake = endpoint(204);
    const lives = [jwt({ exp: 300 }), jwt({ exp: 600 })];
    const hub = withToken(fake, () => lives.shift()!);
    const [first, second] = lives;
    await ban(hub);
    vi.setSystemTime(250_000);
    await ban(hub);
    vi.setSystemTime(275_000);
    await ban(hub);
    expect(sentTokens(fake)).toEqual([first, first, second]);
  });

  it.each([undefined, "", null])("that is %s is no_token, and nothing is sent", async (given) => {
    const fake = endpoint(204);
    const hub = withToken(fake, () => given as string);
    await expect(ban(hub)).rejects.toMatchObject({ code: "no_token" });
    expect(fake.requests).toEqual([]);
  });

  it("that is refused is replaced once, at once", async () => {
    const fake = endpoint(EXPIRED, 204);
    await ban(withToken(fake, counting()));
    expect(sentTokens(fake)).toEqual(["t1", "t2"]);
  });

  it("that is refused twice is the end of it", async () => {
    const fake = endpoint(EXPIRED);
    await expect(ban(withToken(fake, counting()))).rejects.toMatchObject({ code: "token_expired" });
    expect(sentTokens(fake)).toEqual(["t1", "t2"]);
  });

  it("is replaced also for a question that is asked once: it was not read", async () => {
    const fake = endpoint(EXPIRED, { result: true });
    const hub = withToken(fake, counting());
    expect(await hub.clients.connection("c1").invoke.confirm("?")).toBe(true);
    expect(sentTokens(fake)).toEqual(["t1", "t2"]);
  });

  it("that is refused to many at once is replaced for all of them together", async () => {
    const [old, fresh] = [Promise.withResolvers<string>(), Promise.withResolvers<string>()];
    const token = vi.fn<() => Promise<string>>(() => fresh.promise);
    token.mockReturnValueOnce(old.promise);
    const tokens = tokensOf({ url: URL_OF_HUB, token });
    const first = [tokens("a"), tokens("b")];
    const replaced = [tokens("a", "old"), tokens("b", "old"), tokens("c", "old")];
    old.resolve("old");
    fresh.resolve("new");
    expect(await Promise.all(first)).toEqual(["old", "old"]);
    expect(await Promise.all(replaced)).toEqual(["new", "new", "new"]);
    expect(token).toHaveBeenCalledTimes(2);
  });

  it("that cannot be had is an error, is not asked for again at once, and the next call asks", async () => {
    const fake = endpoint(204);
    const failure = new Error("no network");
    const token = vi.fn<() => string>().mockReturnValue("t");
    token.mockImplementationOnce(() => {
      throw failure;
    });
    const hub = withToken(fake, token);
    await expect(ban(hub)).rejects.toMatchObject({ code: "no_token", cause: failure });
    expect(token).toHaveBeenCalledTimes(1);
    await ban(hub);
    expect(sentTokens(fake)).toEqual(["t"]);
  });
});

describe("an access key", () => {
  const verified = (token: string) => jwtVerify(token, new TextEncoder().encode(KEY));
  const withKey = (fetcher: ReturnType<typeof endpoint>, tenant?: string) =>
    backend<OrderHub>({
      ...{ url: URL_OF_HUB, accessKey: KEY, fetcher },
      ...(tenant !== undefined && { tenant }),
    });

  it("signs for the address of the request, without its query, for five minutes", async () => {
    vi.useFakeTimers({ toFake: ["Date"], now: 1_000_000 });
    const fake = endpoint(200);
    await withKey(fake, "acme").group("a b").addUser("bob", { ttlSeconds: 5 });
    const { payload, protectedHeader } = await verified(sentTokens(fake)[0]!);
    expect(payload).toEqual({ aud: `${API}/users/bob/groups/a%20b`, exp: 1_300, tid: "acme" });
    expect(protectedHeader).toEqual({ alg: "HS256", typ: "JWT" });
  });

  it("signs once for an address, and again a minute before the end", async () => {
    vi.useFakeTimers({ toFake: ["Date"], now: 0 });
    const fake = endpoint(204);
    const hub = withKey(fake);
    await ban(hub);
    vi.setSystemTime(239_000);
    await ban(hub);
    await ban(hub, "al");
    vi.setSystemTime(240_000);
    await ban(hub);
    const tokens = await Promise.all(sentTokens(fake).map(verified));
    expect(tokens.map(({ payload: { aud, exp, tid } }) => [aud, exp, tid])).toEqual([
      [`${API}/users/bob/:ban`, 300, undefined],
      [`${API}/users/bob/:ban`, 300, undefined],
      [`${API}/users/al/:ban`, 539, undefined],
      [`${API}/users/bob/:ban`, 540, undefined],
    ]);
  });

  it("that is refused is not shown twice", async () => {
    vi.useFakeTimers({ toFake: ["Date"], now: 0 });
    const fake = endpoint(EXPIRED);
    await expect(ban(withKey(fake))).rejects.toMatchObject({ code: "token_expired" });
    expect(fake.requests.length).toBe(1);
  });

  it.each([
    [`Endpoint=https://h.example;AccessKey=${KEY};Version=1.0;`, API],
    [
      `Endpoint=http://localhost;Port=8888;AccessKey=${KEY};Version=1.0`,
      "http://localhost:8888/api/hubs/orders",
    ],
    [`endpoint=https://h.example/;accesskey=${KEY}`, API],
  ])("is found in %s", async (connectionString, api) => {
    const fake = endpoint(204);
    await ban(backend<OrderHub>({ connectionString, hub: "orders", fetcher: fake }));
    expect(fake.requests[0]!.url).toBe(`${api}/users/bob/:ban`);
    expect((await verified(sentTokens(fake)[0]!)).payload.aud).toBe(`${api}/users/bob/:ban`);
  });

  it("stays out of what is said of a connection string", () => {
    const connectionString = `Endpoint=nowhere;AccessKey=${KEY}`;
    const make = () => backend<OrderHub>({ connectionString, hub: "orders" });
    expect(make).toThrow(/^A connection string is Endpoint=https:\/\/host;AccessKey=…;/);
    expect(make).not.toThrow(KEY);
  });
});

describe("an address", () => {
  it.each([
    ["http://127.0.0.1:8787/hubs/orders", "http://127.0.0.1:8787/api/hubs/orders"],
    ["https://h.example/hubs/orders/", API],
    ["wss://h.example/hubs/orders?x=1", API],
    ["ws://h.example/hubs/orders", "http://h.example/api/hubs/orders"],
    ["https://h.example/pre/fix/hubs/orders", "https://h.example/pre/fix/api/hubs/orders"],
  ])("%s is served at %s", async (url, api) => {
    const fake = endpoint(204);
    await ban(backend<OrderHub>({ url, token: "t", fetcher: fake }));
    expect(fake.requests[0]!.url).toBe(`${api}/users/bob/:ban`);
  });

  it.each([
    "/hubs/orders",
    "h.example/hubs/orders",
    "127.0.0.1:8787/hubs/orders",
    "https://h.example/",
    "https://h.example/hubs/orders/groups/a",
    "ftp://h/hubs/a",
  ])("%s is none of a hub", (url) => {
    expect(() => backend<OrderHub>({ url, token: "t" })).toThrow(
      new TypeError("`url` is a hub's address: https://host/hubs/orders."),
    );
  });

  it("takes the application along", async () => {
    const fake = endpoint(204);
    await ban(backend({ url: URL_OF_HUB, token: "t", application: "app", fetcher: fake }));
    expect(fake.requests[0]!.url).toBe(`${API}/users/bob/:ban?application=app`);
  });

  it("is asked by the global fetch where there is no other", async () => {
    const fetched = vi
      .spyOn(globalThis, "fetch")
      .mockResolvedValue(new Response(null, { status: 204 }));
    await ban(backend<OrderHub>({ url: URL_OF_HUB, token: "t" }));
    expect(fetched.mock.calls.map(([request]) => (request as Request).url)).toEqual([
      `${API}/users/bob/:ban`,
    ]);
    fetched.mockRestore();
  });

  it.each([undefined, ""])("without a token or a key (%j) is of no use", (nothing) => {
    const make = (options: object) => () =>
      backend({ url: URL_OF_HUB, ...options } as BackendOptions);
    expect(make({ token: nothing })).toThrow("A backend needs a `token`");
    expect(make({ accessKey: nothing })).toThrow("A backend needs a `token`");
  });

  it("does not take the two keys of ACCESS_KEYS for one", () => {
    const accessKey = `${"k".repeat(32)},${"l".repeat(32)}`;
    expect(() => backend({ url: URL_OF_HUB, accessKey })).toThrow("`accessKey` is one key");
  });
});
