// Where objects are: every object of a tenant is in its jurisdiction, by every way to it; a value that is none is found
// while the worker starts.

import { createExecutionContext, listDurableObjectIds, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import { ChatHub } from "../../../src/hubs/chat.ts";
import { Place } from "../../../src/rooms/rpc/place.ts";
import { hubContext, serve, type PlaceOptions } from "../../../src/server.ts";
import { checkClass } from "../../../src/setup/check-setup.ts";
import { Client, token } from "../../rooms/client.ts";
import { asked, placedEnv, served } from "../../support/placed-worker.ts";

afterEach(() => void vi.restoreAllMocks());

const own = placedEnv(env as Cloudflare.Env);

interface As {
  readonly tenant: string;
  readonly user?: string;
  readonly role?: string;
}

async function ask(path: string, { tenant, user = "alice", role }: As, init: RequestInit = {}) {
  const bearer = await token(user, { tid: tenant, ...(role && { role }) });
  const headers = { authorization: `Bearer ${bearer}`, ...(init.headers as object) };
  const request = new Request(`https://edge.example${path}`, { ...init, headers });
  return served.endpoint.fetch(request, own, createExecutionContext());
}

async function socketAt(path: string, as: As): Promise<Client> {
  const response = await ask(path, as, { headers: { upgrade: "websocket" } });
  return new Client(response.webSocket!);
}

const post = (body: unknown): RequestInit => ({
  method: "POST",
  headers: { "content-type": "application/json" },
  body: JSON.stringify(body),
});

/** Every way by which a caller reaches rooms, relays, accounts and the index. */
async function useEverything(tenant: string): Promise<void> {
  const service = { tenant, user: "shop", role: "service" };
  using member = await socketAt("/hubs/chat/groups/lobby", { tenant });
  await member.next(({ method }) => method === "$/connected");
  await member.call("joinRoom", ["kitchen"]);
  using relayed = await socketAt("/hubs/chat/rpc", { tenant, user: "bob" });
  await relayed.next(({ method }) => method === "$/connected");
  await relayed.call("sendToRoom", ["lobby", "hello"]);
  await member.said("receiveMessage");
  const call = { jsonrpc: "2.0", id: 1, method: "sendToRoom", params: ["lobby", "by POST"] };
  expect((await ask("/hubs/chat/rpc", { tenant }, post(call))).status).toBe(200);
  const negotiated = await ask("/hubs/chat/negotiate?negotiateVersion=1", { tenant }, post({}));
  const { connectionToken } = (await negotiated.json()) as { connectionToken: string };
  const { webSocket } = await ask(
    `/hubs/chat?id=${connectionToken}`,
    { tenant },
    { headers: { upgrade: "websocket" } },
  );
  webSocket!.accept();
  webSocket!.send('{"protocol":"json","version":1}\u001e');
  await new Promise((shaken) => webSocket!.addEventListener("message", shaken, { once: true }));
  webSocket!.close(1000);
  const draft = { target: "receiveMessage", arguments: ["shop", "by REST"] };
  for (const path of ["groups/lobby/:send", "users/alice/:send", ":send"])
    expect((await ask(`/api/hubs/chat/${path}`, service, post(draft))).status).toBe(202);
  await hubContext(own, ChatHub, { tenant }).clients.group("kitchen").receiveMessage("cron", "hi");
  const banned = await ask("/api/hubs/chat/users/carol/:ban", service, post({ seconds: 60 }));
  expect(banned.status).toBe(204);
  expect((await ask("/api/hubs/chat/rooms", service)).status).toBe(200);
  expect((await ask("/api/metrics", service)).status).toBe(200);
  const headers = { accept: "text/event-stream" };
  const stream = await ask("/hubs/chat/groups/lobby", { tenant }, { headers });
  expect(stream.status).toBe(200);
  await stream.body!.cancel();
}

const countOf = async (namespaces: readonly DurableObjectNamespace[]) =>
  Promise.all(namespaces.map(async (one) => (await listDurableObjectIds(one)).length));

const PLAIN = () => countOf([env.PLACED_ROOMS, env.PLACED_RELAYS, env.PLACED_ACCOUNTS]);
const EU = () => countOf([env.EU_ROOMS, env.EU_RELAYS, env.EU_ACCOUNTS]);

describe("the jurisdiction of a tenant", () => {
  it("has all its objects, whoever reaches them", async () => {
    await useEverything("eu-acme");
    expect(await PLAIN()).toEqual([0, 0, 0]);
    for (const count of await EU()) expect(count).toBeGreaterThan(0);
  });

  it("has none of another tenant's", async () => {
    const before = await EU();
    await useEverything("acme");
    expect(await EU()).toEqual(before);
    for (const count of await PLAIN()) expect(count).toBeGreaterThan(0);
  });

  it("is asked for by the worker and by objects alike", () => {
    const names = new Map<string, Set<string>>();
    for (const [jurisdiction = "", name = ""] of asked.map((line) => line.split(" ")))
      names.set(name, (names.get(name) ?? new Set()).add(jurisdiction));
    for (const [name, found] of names)
      expect([name, ...found]).toEqual([name, name.startsWith("eu-") ? "eu" : "any"]);
    expect(names.size).toBeGreaterThan(10);
  });
});

const ROOM = "eu-acme/chat/group/lobby";

it("an object that is elsewhere refuses before it stores anything", async () => {
  vi.spyOn(console, "error").mockReturnValue();
  const stray = env.PLACED_ROOMS.getByName(ROOM);
  const code = await stray.fetch("https://room/").then(
    () => "accepted",
    (error: { code?: string }) => error.code,
  );
  expect(code).toBe("misconfigured");
});

it("names the object and both places", () => {
  const lines = vi.spyOn(console, "error").mockReturnValue();
  const place = new Place({ jurisdiction: "eu" });
  const id = own.ROOMS.idFromName("acme/chat/group/lobby");
  expect(() => checkClass(id, own, { binding: "ROOMS", place })).toThrow("misconfigured");
  expect(lines.mock.calls.flat().join()).toContain(
    "acme/chat/group/lobby of ROOMS is in no jurisdiction, and place of serve() gives another one",
  );
});

describe("a location hint", () => {
  it("goes with rooms, and not with one that is outside the jurisdiction", async () => {
    for (const [tenant, room] of ["acme", "eu-acme"].flatMap((one) => [
      [one, "tokyo"],
      [one, "paris"],
    ])) {
      using client = await socketAt(`/hubs/chat/groups/${room}`, { tenant: tenant! });
      await client.next(({ method }) => method === "$/connected");
    }
    const of = (name: string) => asked.find((line) => line.includes(`${name} `));
    expect(of("any acme/chat/group/tokyo")).toMatch(/apac$/);
    expect(of("any acme/chat/group/paris")).toMatch(/weur$/);
    expect(of("eu eu-acme/chat/group/tokyo")).toMatch(/ -$/);
    expect(of("eu eu-acme/chat/group/paris")).toMatch(/weur$/);
  });

  it("of a relay is its client's continent, where that is inside the jurisdiction", async () => {
    for (const [tenant, continent] of ["acme", "eu-acme"].flatMap((one) => [
      [one, "EU"],
      [one, "AS"],
    ])) {
      const init = post({ jsonrpc: "2.0", method: "$/presence" });
      const headers = { ...(init.headers as object) };
      const cf = { continent } as unknown as CfProperties;
      await ask("/hubs/calculator/rpc", { tenant: tenant! }, {
        ...init,
        headers,
        cf,
      } as RequestInit);
    }
    const relays = asked.filter((line) => line.includes("/calculator/relay/"));
    expect([...new Set(relays)].toSorted()).toEqual([
      "any acme/calculator/relay/apac.0.0 apac",
      "any acme/calculator/relay/weur.0.0 weur",
      "eu eu-acme/calculator/relay/any.0.0 -",
      "eu eu-acme/calculator/relay/weur.0.0 weur",
    ]);
  });
});

describe("a value that is none", () => {
  const started = (place: object) => () => serve([ChatHub], { place: place as PlaceOptions });

  it.each([
    [{ jurisdiction: "EU" }, 'place.jurisdiction of serve() is "EU"; it is eu, us, fedramp'],
    [{ jurisdiction: () => "de" }, 'place.jurisdiction of serve() is "de"'],
    [{ jurisdiction: async () => "eu" }, "place.jurisdiction of serve() is a promise"],
    [{ locationHint: "europe" }, 'place.locationHint of serve() is "europe"; it is wnam'],
    [{ locationHint: () => 1 }, "place.locationHint of serve() is 1"],
  ])("%j fails while the worker starts", (place, message) => {
    expect(started(place)).toThrow(message);
  });

  it("a function that answers one question in two ways fails while the worker starts", () => {
    let calls = 0;
    const jurisdiction = () => (calls++ % 2 ? "eu" : undefined);
    expect(started({ jurisdiction })).toThrow("returns different values for the same arguments");
  });

  it("of a single tenant refuses that tenant, and the log has it", async () => {
    const lines = vi.spyOn(console, "error").mockReturnValue();
    const tenants: Record<string, { at: "eu" }> = { known: { at: "eu" } };
    const { endpoint } = serve([ChatHub], {
      place: { jurisdiction: ({ tenant }) => tenants[tenant]!.at },
    });
    const bearer = await token("alice", { tid: "unknown" });
    const request = new Request("https://edge.example/hubs/chat/groups/lobby", {
      headers: { authorization: `Bearer ${bearer}`, upgrade: "websocket" },
    });
    const response = await endpoint.fetch(request, own, createExecutionContext());
    expect([response.status, response.headers.get("x-dormouse-error")]).toEqual([
      500,
      "misconfigured",
    ]);
    expect(lines.mock.calls.flat().join()).toContain(
      'place of serve() fails for {\\"tenant\\":\\"unknown\\",\\"hub\\":\\"chat\\"}',
    );
  });
});

describe("an engine without jurisdictions", () => {
  const place = new Place({ jurisdiction: "eu" });
  const bindings = env as unknown as typeof own;

  it("refuses, so that nothing is stored elsewhere", () => {
    const lines = vi.spyOn(console, "error").mockReturnValue();
    expect(() => place.namespaces(bindings).ROOMS.getByName(ROOM)).toThrow("misconfigured");
    expect(lines.mock.calls.flat().join()).toContain("not implemented in workerd");
  });

  it("has one place for all on a developer's machine, and says so once", async () => {
    const lines = vi.spyOn(console, "warn").mockReturnValue();
    const { ROOMS } = place.namespaces({ ...bindings, DEVELOPMENT: "1" } as typeof own);
    const stub = ROOMS.getByName("acme/chat/group/lobby") as DurableObjectStub;
    ROOMS.getByName(ROOM);
    expect(await runInDurableObject(stub, (_, { id }) => id.name)).toBe("acme/chat/group/lobby");
    expect(
      lines.mock.calls
        .flat()
        .join()
        .match(/jurisdictions_ignored/g),
    ).toHaveLength(1);
  });
});
