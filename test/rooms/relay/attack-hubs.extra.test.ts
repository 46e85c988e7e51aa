// Attacks on negotiation, lanes and a hub's beginning that succeeded once, each for the reason above it.

import { listDurableObjectIds } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import * as z from "zod";
import { dispatcher } from "../../../src/dispatch/dispatcher.ts";
import { tablesOf } from "../../../src/dispatch/define/hub-tables.ts";
import { hub, method, stream } from "../../../src/hub.ts";
import { LIMITS } from "../../../src/model/options.ts";
import type { Topic } from "../../../src/model/topic.ts";
import { connectionOf, type Connection } from "../../../src/rooms/connection/connection.ts";
import { HubError } from "../../../src/model/errors.ts";
import { PublishLanes } from "../../../src/rooms/links/publish-lanes.ts";
import { UndeliveredPublications } from "../../../src/rooms/links/undelivered-publications.ts";
import type { Host } from "../../../src/rooms/object/host.ts";
import { systemClock } from "../../../src/rooms/platform/loop-timing.ts";
import { roomAt, upgrade } from "../client.ts";
import { late, slow } from "./attacking.ts";
import { connected, negotiate, open, post } from "./client.ts";
import { userOf } from "../../support/test-user.ts";

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

type Room = ConstructorParameters<typeof PublishLanes>[0]["room"];

/** Publications of an object that follows no room. */
const lanesTo = (room: Room) =>
  new PublishLanes({
    ...{ room, publishBytes: LIMITS.publishBytes },
    followed: {
      undelivered: new UndeliveredPublications(() => undefined),
      followerIn: () => undefined,
      deliver: () => ({ kind: "gone" }),
    },
    waitUntil: () => {},
  });

describe("whoever negotiates", () => {
  // Seats are promised without a look at who asks.
  it("takes no more seats than a user may have connections", async () => {
    const ids = await Promise.all(
      Array.from({ length: 60 }, () => post("/hubs/relayed/negotiate", "greedy")),
    );
    expect(ids.filter(({ status }) => status === 200)).toHaveLength(50);
    expect(ids.filter(({ status }) => status === 429)).toHaveLength(10);
  });

  // A relay's name may end in any text, and a token's or connection id's relay is made by asking it.
  it("makes no objects by inventing relays", async () => {
    const before = (await listDurableObjectIds(env.RELAYS)).length;
    for (let i = 0; i < 5; i++) {
      const made = `${"A".repeat(22)}_zzzzzzzz_${"B".repeat(22)}@relay:any.0.0,group:made-up-${i}`;
      expect((await open("relayed", made)).status).toBe(404);
    }
    expect((await listDurableObjectIds(env.RELAYS)).length).toBe(before);
  });

  // Without a route for other verbs it is "There is nothing at this path" (docs/design/signalr-transports.md#ng1).
  it("by GET is told 405", async () => {
    const response = await upgrade("/hubs/relayed/negotiate", { upgrade: "" });
    expect(response.status).toBe(405);
  });
});

describe("what is said to nobody", () => {
  // As in ASP.NET (docs/design/signalr-wire.md#cr2).
  it("is said without an error", async () => {
    using alice = await connected("relayed");
    const bob = await connected("relayed", { user: "bob" });
    bob.say({ type: 7 });
    await bob.closed;
    const { error } = await alice.call("SayTo", [bob.id, alice.id], "hello");
    expect(error).toBeUndefined();
  });
});

describe("lanes", () => {
  it("hold no more to many rooms that do not answer than to one", async () => {
    const gone = Promise.withResolvers<void>();
    const publishAll = async () => {
      await gone.promise;
      throw new HubError("unavailable", "Gone.");
    };
    const lanes = lanesTo(() => ({ publishAll }) as never);
    const params = JSON.stringify(["x".repeat(200_000)]);
    const said = Array.from({ length: 300 }, (_, at) =>
      lanes.publish({ kind: "group", name: `slow${at}` }, { target: "said", params }),
    );
    const codesOf = (all: readonly Promise<unknown>[]) =>
      Promise.all(all.map((one) => one.catch(({ code }: HubError) => code)));
    // 48 Mi characters are 251 of them.
    const [taken, refused] = [codesOf(said.slice(0, 251)), codesOf(said.slice(251))];
    expect(new Set(await refused)).toEqual(new Set(["rate_limited"]));
    gone.resolve();
    expect(new Set(await taken)).toEqual(new Set(["unavailable"]));
    const again = lanes.publish({ kind: "group", name: "slow1" }, { target: "said", params });
    await expect(again).rejects.toMatchObject({ code: "unavailable" });
  });

  const topic: Topic = { kind: "group", name: "busy" };
  const draft = (text: string) => ({ target: "said", params: JSON.stringify([text]) });

  // `settled` waits until nothing at all is under way, not for what was said until now.
  it("settle while others go on talking", async () => {
    const room = {
      publish: () => Promise.reject(new Error("Lanes publish many at once.")),
      publishAll: async (drafts: readonly unknown[]) => {
        await scheduler.wait(5);
        return drafts.map(() => ({ epoch: "e", offset: 1 }));
      },
      publishAs: () => Promise.reject(new Error("It follows no room.")),
      info: () => Promise.reject(new Error("It does not exist.")),
    };
    const lanes = lanesTo(() => room);
    const state = { talking: true };
    const talk = (async () => {
      for (let i = 0; state.talking; i++) {
        void lanes.publish(topic, draft(`${i}`));
        await scheduler.wait(1);
      }
    })();
    await scheduler.wait(20);
    const how = await Promise.race([lanes.settled(topic).then(() => "settled"), late(1_000)]);
    state.talking = false;
    await talk;
    expect(how).toBe("settled");
  });

  // A batch is bounded by count, not by size: 500 of 256 KiB are four times what an RPC takes.
  it("take as much as fits into a call", async () => {
    vi.spyOn(console, "error").mockImplementation(() => {});
    const lanes = lanesTo(() => roomAt("relayed/group:large"));
    const text = "x".repeat(250_000);
    const said = Array.from({ length: 150 }, (_, i) => lanes.publish(topic, draft(`${i}${text}`)));
    const outcomes = await Promise.allSettled(said);
    expect(outcomes.filter(({ status }) => status === "rejected")).toHaveLength(0);
  });
});

describe("a hub's beginning", () => {
  // Streams run beside other calls, and `connected` is a call like others.
  it("comes before streams, too", async () => {
    const order: string[] = [];
    const Slow = hub("slowly", {
      async connected() {
        await scheduler.wait(50);
        order.push("connected");
      },
    }).methods({
      call: method([], () => void order.push("call")),
      watch: stream([z.number()], async function* () {
        order.push("stream");
        yield 1;
      }),
    });
    const receiver = dispatcher({
      hubs: tablesOf([Slow]),
      verify: () => Promise.reject(new Error("Nobody asks.")),
    });
    const host = {
      domain: { tenant: "default", hub: "slowly" },
      settings: receiver.settings("slowly")!,
      activity: {
        counters: { in: 0, calls: { instant: 0 } },
        isDue: true,
        note: () => {},
        refused: () => {},
        answered: () => {},
      },
      replies: { send: () => {} },
      inOrder: (_: object, send: () => void) => void send(),
      waitUntil: () => {},
      clock: systemClock,
      roomOf: () => ({ kind: "all", name: "" }),
      connections: { remember: () => {}, close: () => {} },
    } as unknown as Host;
    const user = userOf({ id: "a" });
    const connection: Connection = connectionOf(undefined, {
      ...{ id: "x", protocol: "signalr-json", user, connectedAt: 0, heardAt: 0, openCalls: [] },
    } as never);
    const opened = receiver.opened(host, connection);
    const say = (message: object) =>
      receiver.received(host, connection, `${JSON.stringify(message)}\u001e`);
    say({ type: 4, invocationId: "1", target: "Watch", arguments: [1] });
    say({ type: 1, invocationId: "2", target: "Call", arguments: [] });
    await opened;
    await scheduler.wait(20);
    expect(order[0]).toBe("connected");
  });

  // Who leaves before it is greeted has had no `connected`, and is told of to `disconnected` all the same.
  it("was where its end is", async () => {
    // Somebody has spoken to the user: connections follow the user's room from their beginning.
    await roomAt("filtered/user:hasty").publish({ target: "said", params: '["before"]' });
    const { held, letGo } = await slow("filtered/user:hasty", "follow");
    const { connectionToken } = await negotiate("filtered", { user: "hasty" });
    const { webSocket } = await open("filtered", connectionToken, { user: "hasty" });
    webSocket!.accept();
    webSocket!.send('{"protocol":"json","version":1}\u001e');
    await held();
    webSocket!.close(1000);
    await scheduler.wait(300);
    letGo();
    await scheduler.wait(300);
    using bob = await connected("filtered", { user: "bob" });
    const lines = ((await bob.call("Trace")).result as string[]).filter((line) =>
      line.endsWith("hasty"),
    );
    const began = lines.filter((line) => / connected/.test(line)).length;
    expect(lines.filter((line) => / disconnected/.test(line))).toHaveLength(began);
  });
});
