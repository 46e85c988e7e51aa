// A trace context on its way through actions, joins and leaves, and calls by gRPC, to receivers of webhooks.

import { abortAllDurableObjects, runDurableObjectAlarm } from "cloudflare:test";
import { beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { clientBy, as, SERVICE } from "../edge/grpc/client.ts";
import { publication } from "../edge/grpc/values.ts";
import { Client, roomAt, token, upgrade } from "../rooms/client.ts";
import { ask, receiver, set, withConnectWebhook } from "./connect-fixture.ts";

const TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
const OTHER = TRACE.replace("4bf9", "5bf9");

withConnectWebhook();
beforeEach(() => {
  set({ WEBHOOK_CONNECT_URL: "", WEBHOOK_URL: receiver.urls.events });
  set({ WEBHOOK_EVENTS: "connected,disconnected,joined,left,message" });
});

interface Traced {
  readonly type: string;
  readonly data: { readonly arguments?: readonly unknown[]; readonly room?: string };
  readonly traceparent?: string;
}

const taken = () => receiver.taken as unknown as readonly Traced[];
/** What was noted, and the trace that the note and its event have: they are the same. */
const notes = (where: string) =>
  taken().flatMap(({ data, traceparent }) =>
    data.arguments?.[0] === where ? [[data.arguments[1] ?? undefined, traceparent]] : [],
  );
const noted = async (where: string) => {
  await receiver.until(() => notes(where).length > 0);
  return notes(where)[0];
};
/** Traces of a kind of events about a room, in the order of their arrival. */
const traces = (kind: string, room: string) =>
  taken().flatMap(({ type, data, traceparent }) =>
    type === `dormouse.${kind}` && data.room === room ? [traceparent] : [],
  );
const told = async (kind: string, room: string, count = 1) => {
  await receiver.until(() => traces(kind, room).length >= count);
  return traces(kind, room);
};

async function connected(path: string, user: string, trace?: string): Promise<Client> {
  const url = `/hubs/traced/${path}?access_token=${await token(user)}`;
  const { webSocket } = await upgrade(url, trace === undefined ? {} : { traceparent: trace });
  const client = new Client(webSocket!);
  onTestFinished(() => client[Symbol.dispose]());
  client.hello = await client.said("$/connected");
  return client;
}

const post = (path: string, body: object, claims = {}) =>
  ask(
    path,
    {
      method: "POST",
      body: JSON.stringify(body),
      headers: { "content-type": "application/json", traceparent: TRACE },
    },
    claims,
  );
const rpc = (method: string, params: unknown) =>
  post("/hubs/traced/rpc", { jsonrpc: "2.0", id: 1, method, params });
const traced = async (claims = {}) => {
  const { headers } = await as("alice", claims);
  return { headers: { ...headers, traceparent: TRACE } };
};

describe("a run of an action", () => {
  const RUNS: readonly (readonly [string, (id: string) => Promise<unknown>])[] = [
    [
      "on its room's socket",
      async (id) => (await connected(`orders/${id}`, "alice", TRACE)).call("note"),
    ],
    ["by name, over HTTP", (id) => rpc("note", [id])],
    ["by $/run, over HTTP", (id) => rpc("$/run", { room: `order:${id}`, action: "note" })],
    ["by a method of the hub", (id) => rpc("run", [id])],
    ["by a service", (id) => post(`/api/hubs/traced/rooms/order:${id}/:run/note`, {}, SERVICE)],
    [
      "by gRPC",
      async (id) =>
        clientBy().run({ hub: "traced", topic: `order:${id}`, action: "note" }, await traced()),
    ],
  ];

  it.each(RUNS)("%s has the trace, and so has what it publishes", async (how, run) => {
    await run(how.replaceAll(/\W/g, ""));
    expect(await noted("here")).toEqual([TRACE, TRACE]);
    expect(await noted("elsewhere")).toEqual([TRACE, TRACE]);
  });

  it("by hub code, of an internal action, has the trace of the call", async () => {
    await rpc("runInternal", ["internal"]);
    expect(await noted("by the clock")).toEqual([TRACE, TRACE]);
  });

  it("by a hook of a room, has that of the connection which came", async () => {
    await connected("groups/hooked", "alice", TRACE);
    expect(await noted("by the clock")).toEqual([TRACE, TRACE]);
  });

  it("by the clock has none", async () => {
    await rpc("schedule", ["scheduled"]);
    await runDurableObjectAlarm(roomAt("traced/order:scheduled"));
    expect(await noted("by the clock")).toEqual([undefined, undefined]);
  });

  it("has none where the request has none", async () => {
    const alice = await connected("orders/untraced", "alice");
    await alice.call("note");
    expect(await noted("here")).toEqual([undefined, undefined]);
    expect(await noted("elsewhere")).toEqual([undefined, undefined]);
  });
});

describe("a publication without hub code", () => {
  it("has the trace by gRPC", async () => {
    await clientBy().publish(publication("group:by-grpc", "x", "traced"), await traced(SERVICE));
    expect(await told("message", "group:by-grpc")).toEqual([TRACE]);
  });

  it("has that of its socket", async () => {
    const url = `/hubs/traced/groups/by-socket?access_token=${await token("alice", SERVICE)}`;
    const { webSocket } = await upgrade(url, { traceparent: TRACE });
    using alice = new Client(webSocket!);
    await alice.call("$/publish", { method: "noted", params: ["published"] });
    expect(await told("message", "group:by-socket")).toEqual([TRACE]);
  });
});

describe("a connection to a room", () => {
  it("gives its trace to its events and hooks, and to those of its user", async () => {
    const alice = await connected("groups/own", "alice", TRACE);
    await noted("joined");
    alice.socket.close(1000);
    await noted("left");
    for (const kind of ["joined", "connected", "disconnected", "left"])
      expect([kind, await told(kind, "group:own")]).toEqual([kind, [TRACE]]);
    for (const hook of ["connected", "joined", "disconnected", "left"])
      expect([hook, await noted(hook)]).toEqual([hook, [TRACE, TRACE]]);
  });

  it("gives it to the leave after the grace", async () => {
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() });
    const alice = await connected("groups/lost", "alice", TRACE);
    await told("joined", "group:lost");
    alice.socket.close(1001);
    await told("disconnected", "group:lost");
    vi.setSystemTime(Date.now() + 60_000);
    await runDurableObjectAlarm(roomAt("traced/group:lost"));
    expect(await told("left", "group:lost")).toEqual([TRACE]);
  });

  it("gives it to its end by a crash", async () => {
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() });
    await connected("groups/crashed", "alice", TRACE);
    await told("connected", "group:crashed");
    await abortAllDurableObjects();
    for (let i = 0; i < 3; i++) {
      vi.setSystemTime(Date.now() + 130_000);
      await runDurableObjectAlarm(roomAt("traced/group:crashed"));
    }
    expect(await told("disconnected", "group:crashed")).toEqual([TRACE]);
    const [event] = receiver.in("traced/group:crashed", "disconnected");
    expect(event!.data).not.toHaveProperty("trace");
  });

  it("without a trace gives none, where others have one", async () => {
    await connected("groups/mixed", "alice", TRACE);
    await connected("groups/mixed", "bob");
    expect(await told("joined", "group:mixed", 2)).toEqual([TRACE, undefined]);
  });
});

describe("a connection to the hub", () => {
  it("gives its trace to joins and leaves in rooms of other objects", async () => {
    const alice = await connected("rpc", "alice", TRACE);
    const bob = await connected("rpc", "bob", OTHER);
    for (const client of [alice, bob]) await client.call("enter", ["followed"]);
    expect(await told("joined", "group:followed", 2)).toEqual([TRACE, OTHER]);
    for (const client of [alice, bob]) await client.call("leave", ["followed"]);
    expect(await told("left", "group:followed", 2)).toEqual([TRACE, OTHER]);
    expect(notes("joined")).toEqual([TRACE, OTHER].map((trace) => [trace, trace]));
    // Clients of the test before may leave as late as now.
    await receiver.until(() => notes("left").some(([trace]) => trace === TRACE));
    expect(notes("left")).toContainEqual([TRACE, TRACE]);
  });

  it("gives it to the leave after the grace", async () => {
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() });
    const alice = await connected("rpc", "alice", TRACE);
    await alice.call("enter", ["adrift"]);
    await told("joined", "group:adrift");
    alice.socket.close(1001);
    const { info } = roomAt("traced/group:adrift");
    await vi.waitFor(async () => expect(await info()).toMatchObject({ connections: 0 }));
    vi.setSystemTime(Date.now() + 60_000);
    await runDurableObjectAlarm(roomAt("traced/group:adrift"));
    expect(await told("left", "group:adrift")).toEqual([TRACE]);
  });
});
