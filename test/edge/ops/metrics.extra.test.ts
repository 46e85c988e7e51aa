// Seen from outside: what rooms and relays say of themselves comes into their hub's index, its lists and
// `/api/metrics`; and the log never says what clients did.

import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env, exports } from "cloudflare:workers";
import parse, { type Family } from "parse-prometheus-text-format";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { EndpointEnv } from "../../../src/edge/app.ts";
import type { HubError } from "../../../src/model/errors.ts";
import { objectName } from "../../../src/rooms/rpc/object-names.ts";
import { RoomObject } from "../../../src/rooms/room/room-object.ts";
import { alarmOf } from "../../rooms/alarms.ts";
import { connected, relayOf } from "../../rooms/relay/client.ts";
import { Client, enter, roomAt, token, upgrade } from "../../rooms/client.ts";

const SOON_MS = 2_000;
const SERVICE = { role: "service" };

beforeEach(() => vi.useFakeTimers({ toFake: ["Date"], now: Date.now() }));
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

const pass = (ms: number) => vi.setSystemTime(Date.now() + ms);
const indexOf = (hub: string, tenant = "default") => roomAt(`${hub}/all`, tenant);

/** Its alarms ring until nothing is due soon: all it had to tell is told. */
async function settle(stub: DurableObjectStub): Promise<void> {
  for (let due = await alarmOf(stub); due !== null && due - Date.now() < 15_000;) {
    vi.setSystemTime(Math.max(Date.now(), due));
    await runDurableObjectAlarm(stub);
    due = await alarmOf(stub);
  }
}

const scrape = async (claims: object = SERVICE, user = "prometheus") =>
  exports.default.fetch("https://edge.example/api/metrics", {
    headers: { authorization: `Bearer ${await token(user, { ...claims })}` },
  });

async function scraped(claims: object = SERVICE): Promise<readonly Family[]> {
  const response = await scrape(claims);
  expect(response.status).toBe(200);
  expect(response.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
  return parse(await response.text());
}

/** The figures of one room, by the names of their series. */
const of = (families: readonly Family[], hub: string, room: string) =>
  Object.fromEntries(
    families.flatMap(({ name, metrics }) =>
      metrics
        .filter(({ labels }) => labels?.["hub"] === hub && labels["room"] === room)
        .map(({ value, labels }) => {
          const code = labels?.["code"];
          return [name.slice("dormouse_".length) + (code ? ` ${code}` : ""), Number(value)];
        }),
    ),
  );

const saying = (client: Client, room: string, text: string) =>
  client.call("sendToRoom", [room.split(":")[1], text]);

describe("a room", () => {
  it("comes into its hub's index, and after a change again; nobody else's index knows it", async () => {
    const room = "chat/group:listed";
    using alice = await enter(room, { user: "alice" });
    const phone = await enter(room, { user: "alice" });
    using bob = await enter(room, { user: "bob" });
    await bob.call("$/presence");
    await settle(roomAt(room));
    const listed = async (hub = "chat", tenant = "default") =>
      (await indexOf(hub, tenant).rooms({ prefix: "group:listed" })).rooms;
    expect(await listed()).toMatchObject([{ room: "group:listed", connections: 3, users: 2 }]);
    expect(await listed("orders")).toEqual([]);
    expect(await listed("chat", "other")).toEqual([]);

    phone.socket.close(1000);
    await phone.closed;
    await alice.call("$/presence");
    await settle(roomAt(room));
    expect(await listed()).toMatchObject([{ connections: 2, users: 2 }]);
  });

  it("answers how it is: where it stands, who is there, how fast it speaks", async () => {
    const room = "chat/group:info";
    using alice = await enter(room, { user: "alice" });
    const before = await roomAt(room).info();
    for (let n = 0; n < 30; n++) await saying(alice, "group:info", `${n}`);
    const info = await roomAt(room).info();
    expect(info).toMatchObject({ connections: 1, users: 1 });
    expect(info.rate - before.rate).toBeCloseTo(0.5, 9);
    expect(info.position).toEqual({ ...before.position, offset: before.position.offset + 30 });
    pass(61_000);
    expect((await roomAt(room).info()).rate).toBe(0);
  });

  it("is no index, unless it is the hub's all", async () => {
    const asked = runInDurableObject(roomAt("chat/group:none"), async (room: RoomObject) => {
      const codes = [room.rooms({}), room.relays({}), room.metrics()].map((asking) =>
        asking.catch(({ code }: HubError) => code),
      );
      return Promise.all(codes);
    });
    expect(await asked).toEqual(["wrong_kind", "wrong_kind", "wrong_kind"]);
  });

  it("that is idle has no alarm but its sweep after its last report, and wakes for nothing", async () => {
    const room = "chat/group:at-rest";
    using alice = await enter(room, { user: "alice" });
    await saying(alice, "group:at-rest", "good night");
    await settle(roomAt(room));
    const made = vi.spyOn(RoomObject.prototype as unknown as { wake(): unknown }, "wake");
    const reported = vi.spyOn(RoomObject.prototype, "report");
    for (let sweeps = 0; sweeps < 3; sweeps++) {
      await evictDurableObject(roomAt(room));
      const due = (await alarmOf(roomAt(room)))! - Date.now();
      expect(due).toBeGreaterThan(60_000);
      pass(due);
      expect(await runDurableObjectAlarm(roomAt(room))).toBe(true);
    }
    // Made by the three sweeps, which the test itself rang; nobody was told anything.
    expect([made.mock.calls.length, reported.mock.calls.length]).toEqual([3, 0]);
  });

  it("that slept before it told is told of when it wakes", async () => {
    const room = "chat/group:slept";
    using alice = await enter(room, { user: "alice" });
    await alice.call("$/presence");
    await evictDurableObject(roomAt(room));
    pass(SOON_MS);
    await runDurableObjectAlarm(roomAt(room));
    await settle(roomAt(room));
    const { rooms } = await indexOf("chat").rooms({ prefix: "group:slept" });
    expect(rooms).toMatchObject([{ connections: 1, users: 1 }]);
  });
});

describe("/api/metrics", () => {
  it("has a hub's objects, and the bytes and rows that they have stored", async () => {
    const stored = async () =>
      Object.fromEntries(
        (await scraped()).flatMap(({ name, metrics }) =>
          metrics
            .filter(({ labels }) => labels?.["hub"] === "calculator" && !labels["room"])
            .map(({ value }) => [name.slice("dormouse_".length), Number(value)]),
        ),
      );
    expect(await stored()).toMatchObject({ objects: 0, stored_bytes: 0, stored_rows: 0 });
    using alice = await connected("calculator");
    await settle(relayOf("calculator", alice.id));
    await settle(roomAt("calculator/all"));
    const { objects, stored_bytes: bytes, stored_rows: rows } = await stored();
    // The hub's `all` room: the relay has stored nothing, tables come with their first row.
    expect(objects).toBe(1);
    expect(bytes).toBeGreaterThan(0);
    expect(rows).toBeGreaterThan(0);
  });

  it("is read by a stock parser: what a room's clients said and heard, and what was refused", async () => {
    const room = "chat/group:measured";
    using alice = await enter(room, { user: "alice" });
    using bob = await enter(room, { user: "bob" });
    for (const text of ["one", "two", "three"]) await saying(alice, "group:measured", text);
    await bob.heardFrame(({ params }) => params?.[1] === "three");
    await alice.call("noSuchMethod");
    const { position } = bob.messages("receiveMessage")[0]!;
    using again = await enter(room, { user: "carol", since: position! });
    using lost = await enter(room, { user: "dave", since: "nowhere:1" });
    await Promise.all([again, lost].map((client) => client.call("$/presence")));
    await settle(roomAt(room));

    const families = await scraped();
    for (const { name, help, type } of families) {
      expect(help).not.toBe("");
      const kinds = { total: "COUNTER", seconds: "HISTOGRAM" } as Record<string, string>;
      // An age is a gauge, too.
      const kind = name === "dormouse_webhook_waiting_seconds" ? "GAUGE" : undefined;
      expect(type).toBe(kind ?? kinds[name.split("_").at(-1)!] ?? "GAUGE");
    }
    const figures = of(families, "chat", "group:measured");
    expect(figures).toMatchObject({
      connections: 4,
      messages_in_total: 6,
      replays_total: 1,
      wakes_total: 1,
      "refusals_total method_not_found": 1,
      "refusals_total history_gone": 1,
    });
    const whole = families.find(({ name }) => name === "dormouse_hub_refusals_total")!.metrics;
    for (const code of ["method_not_found", "history_gone", "closed_4429"]) {
      const one = whole.find(({ labels }) => labels!["hub"] === "chat" && labels!["code"] === code);
      expect(Number(one!.value)).toBeGreaterThanOrEqual(figures[`refusals_total ${code}`] ?? 0);
    }
    expect(figures["replayed_messages_total"]).toBeGreaterThanOrEqual(2);
    // Three messages to two, and six answers; presence beside.
    expect(figures["messages_out_total"]).toBeGreaterThanOrEqual(12);
    expect(figures["bytes_in_total"]).toBeGreaterThan(6 * 40);
    expect(figures["bytes_out_total"]).toBeGreaterThan(12 * 40);
    const up = families.find(({ name }) => name === "dormouse_hub_up")!.metrics;
    expect(up).toContainEqual({ value: "1", labels: { hub: "chat" } });
  });

  it("counts where sockets live: a relay's at the relay", async () => {
    // A tenant without connections of the files before.
    const claims = { tid: "counted" };
    using client = await connected("relayed", { user: "alice", claims });
    await client.call("join", "counted");
    await settle(relayOf("relayed", client.id, "counted") as DurableObjectStub);
    await settle(roomAt("relayed/group:counted", "counted"));
    const families = await scraped({ ...SERVICE, ...claims });
    expect(of(families, "relayed", "relay:any.0.0")).toMatchObject({
      ...{ connections: 1, messages_in_total: 1, messages_out_total: 1 },
    });
    expect(of(families, "relayed", "group:counted")["connections"]).toBe(0);
    const index = indexOf("relayed", "counted");
    const { rooms } = await index.relays({});
    expect(rooms).toMatchObject([{ room: "relay:any.0.0", connections: 1, users: 1 }]);
    expect((await index.rooms({})).rooms).toMatchObject([
      { room: "group:counted", connections: 1, users: 1 },
    ]);
  });

  it.each(['"quoted"', "back\\slash", "{braces},=", "__proto__", "\\n", "ünï \u{1f600}"])(
    "shows a room named %j under its own name",
    async (name) => {
      const room = `group:${name}`;
      const stub = env.ROOMS.getByName(
        objectName({ tenant: "default", hub: "chat", topic: { kind: "group", name } }),
      );
      using client = await enter(`chat/${encodeURIComponent(room)}`);
      await client.call("$/presence");
      await settle(stub);
      const text = await (await scrape()).text();
      const escaped = room.replaceAll("\\", "\\\\").replaceAll('"', '\\"');
      expect(text).toContain(`dormouse_connections{hub="chat",room="${escaped}"} 1\n`);
    },
  );

  it("shows a tenant its own rooms, and nobody else's", async () => {
    using alice = await enter("chat/group:of-acme", { claims: { tid: "acme" } });
    await alice.call("$/presence");
    await settle(roomAt("chat/group:of-acme", "acme"));
    const acme = await (await scrape({ ...SERVICE, tid: "acme" })).text();
    expect(acme).toContain('room="group:of-acme"');
    for (const claims of [SERVICE, { ...SERVICE, tid: "acme/" }, { ...SERVICE, tid: "Acme" }])
      expect(await (await scrape(claims)).text()).not.toContain("of-acme");
  });

  it("is for services: others are refused, with 403 and with 401", async () => {
    const told = (response: Response) => [
      response.status,
      response.headers.get("x-dormouse-error"),
    ];
    expect(told(await scrape({}))).toEqual([403, "forbidden"]);
    expect(told(await scrape({ role: ["Service", "admin"] }))).toEqual([403, "forbidden"]);
    const bare = await exports.default.fetch("https://edge.example/api/metrics");
    expect(told(bare)).toEqual([401, "token_missing"]);
  });

  it("says which hub did not answer, and shows the others", async () => {
    vi.spyOn(console, "warn").mockImplementation(() => {});
    vi.spyOn(RoomObject.prototype, "metrics").mockImplementationOnce(() =>
      Promise.reject(new Error("down")),
    );
    const families = await scraped();
    const up = families.find(({ name }) => name === "dormouse_hub_up")!.metrics;
    expect(up.filter(({ value }) => value === "0")).toHaveLength(1);
    expect(up.length).toBeGreaterThan(1);
  });
});

describe("the log", () => {
  const CANARY = "canary-Xq7-of-a-body";
  let lines: string[];
  beforeEach(() => {
    lines = [];
    for (const level of ["log", "info", "warn", "error", "debug"] as const)
      vi.spyOn(console, level).mockImplementation((...said: unknown[]) => {
        lines.push(said.map(String).join(" "));
      });
  });

  /** All the events of a name. */
  const events = (name: string) =>
    lines.map((line) => JSON.parse(line)).filter(({ event }) => event === name);

  it("never has a token, a query or a body, whatever goes wrong", async () => {
    const room = "chat/group:canary";
    const secret = await token("alice", { jti: CANARY });
    for (const path of ["/hubs/chat/groups/canary", "/hubs/none/groups/a", `/parties/${room}`])
      await upgrade(`${path}?access_token=${secret}.${CANARY}&note=${CANARY}`);
    using alice = await enter(room, { user: "alice" });
    for (const frame of [`{"${CANARY}`, CANARY, `{"jsonrpc":"2.0","method":"${CANARY}"}`])
      alice.send(frame);
    await alice.call("sendToRoom", ["canary", CANARY]);
    await alice.call("sendToRoom", [{ [CANARY]: CANARY }]);
    using other = await connected("chat", { user: "bob" });
    other.socket.send(`{"type":1,"target":"${CANARY}`);
    other.socket.send(`${CANARY}\u001e`);
    await other.closed;
    await alice.call("$/presence");
    await settle(roomAt(room));
    expect(lines.length).toBeGreaterThanOrEqual(3);
    expect(events("refused").length).toBeGreaterThanOrEqual(3);
    for (const line of lines) {
      expect(line).not.toContain(CANARY);
      expect(line).not.toContain(secret.slice(-20));
      expect(line).not.toContain("\n");
    }
  });

  /** A variable or binding for the objects of this isolate. */
  const withEnv = async (name: keyof EndpointEnv, value: unknown, stub: DurableObjectStub) =>
    runInDurableObject(stub, (instance) => {
      Object.assign((instance as unknown as { env: object }).env, { [name]: value });
    });

  it("says who comes and goes only where it is asked to, without what they are known by", async () => {
    const room = "chat/group:comings";
    const come = async () => {
      using client = await enter(room, { user: "alice" });
      await client.call("$/presence");
      pass(5_000);
      client.socket.close(1000, CANARY);
      await client.closed;
      await roomAt(room).info();
    };
    await come();
    expect([...events("connection_opened"), ...events("connection_closed")]).toEqual([]);
    await withEnv("LOG_CONNECTIONS", "1", roomAt(room));
    await come();
    await withEnv("LOG_CONNECTIONS", undefined, roomAt(room));
    const about = {
      ...{ level: "info", tenant: "default", hub: "chat", user: "alice" },
      ...{ object: "group:comings", room: "group:comings", transport: "WebSockets" },
    };
    expect(events("connection_opened")).toEqual([{ ...about, event: "connection_opened" }]);
    expect(events("connection_closed")).toEqual([
      { ...about, event: "connection_closed", code: 1000, durationMs: 5_000 },
    ]);
    expect(lines.join()).not.toContain(CANARY);
  });

  it("has beside it a data point a report and a refusal, where Analytics Engine is bound", async () => {
    const points: AnalyticsEngineDataPoint[] = [];
    const dataset = {
      writeDataPoint: (point: AnalyticsEngineDataPoint) => void points.push(point),
    };
    const room = "chat/group:analysed";
    using alice = await enter(room, { user: "alice" });
    await withEnv("ANALYTICS", dataset, roomAt(room));
    await saying(alice, "group:analysed", CANARY);
    await settle(roomAt(room));
    await withEnv("ANALYTICS", undefined, roomAt(room));
    expect(points[0]).toMatchObject({
      indexes: ["chat"],
      blobs: ["report", "default", "chat", "group:analysed", ""],
    });
    const [sockets, connections, users, messagesIn] = points[0]!.doubles!;
    expect([sockets, connections, users, messagesIn]).toEqual([1, 1, 1, 1]);
    expect(JSON.stringify(points)).not.toContain(CANARY);
  });
});

it("a hub's connections of our own client are counted by version, in a room and at a relay", async () => {
  const bearer = await token("alice");
  const connect = async (path: string, version: string) => {
    const response = await upgrade(`${path}?access_token=${bearer}&dormouse=${version}`);
    const { webSocket } = response;
    webSocket!.accept();
    webSocket!.close(1000);
  };
  const versions = ["0.1.0", "0.1.0", "0.2.7", "nonsense", ""];
  await Promise.all(versions.map((version) => connect("/hubs/relayed/groups/versions", version)));
  const { webSocket } = await upgrade(`/hubs/relayed/rpc?access_token=${bearer}&dormouse=0.1.0`);
  const relayed = new Client(webSocket!);
  const { params } = await relayed.next(({ method }) => method === "$/connected");
  relayed[Symbol.dispose]();
  await settle(roomAt("relayed/group:versions"));
  await settle(relayOf("relayed", params.connectionId));
  const family = (await scraped()).find(({ name }) => name === "dormouse_clients_total");
  const counts = family?.metrics.flatMap(({ labels, value }) =>
    labels?.["hub"] === "relayed" ? [[labels["version"], value]] : [],
  );
  expect(counts).toEqual([
    ["0.1.0", "3"],
    ["0.2.7", "1"],
  ]);
});
