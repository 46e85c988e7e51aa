// Session: one connection to a hub over a body that is open both ways; and who is told at once that theirs is not.

import { runInDurableObject } from "cloudflare:test";
import { exports } from "cloudflare:workers";
import { toJson } from "@bufbuild/protobuf";
import { ValueSchema } from "@bufbuild/protobuf/wkt";
import { expect, it } from "vitest";
import {
  Standing_Outcome as Outcome,
  type SessionResponse,
} from "../../../src/protocols/proto/dormouse/v1/hub_pb.ts";
import type { RelayParts } from "../../../src/rooms/relay/relay-parts.ts";
import { token } from "../../rooms/client.ts";
import { relayOf } from "../../rooms/relay/client.ts";
import { range } from "../../rooms/storage.ts";
import { as, BASE, clientBy, drained, failure, say, SERVICE } from "./client.ts";
import { begun, Talker } from "./talker.ts";
import { list, publication } from "./values.ts";

it("joins, publishes, hears, leaves", async () => {
  using talk = await begun("plain", { claims: SERVICE });
  const topic = "group:talk";
  const joined = await talk.answer(talk.say({ case: "join", value: { topic, position: "" } }));
  expect(joined).toMatchObject({ case: "joined", value: { topic, outcome: Outcome.CONNECTED } });
  const heard: unknown[] = [];
  const published = await talk.answer(
    talk.say({ case: "publish", value: publication(topic, "hi", "") }),
    heard as never[],
  );
  while (heard.length === 0) heard.push(await talk.next());
  expect(heard).toMatchObject([
    {
      case: "event",
      value: { topic, position: (published.value as { position: string }).position },
    },
  ]);
  expect(await talk.answer(talk.say({ case: "leave", value: topic }))).toMatchObject({
    case: "done",
  });
});

it("goes on in a room from a position", async () => {
  const topic = "group:talk-on";
  const { epoch, offset } = await say(`plain/${topic}`, "heard");
  await say(`plain/${topic}`, "missed");
  using talk = await begun("plain");
  const position = `${epoch}:${offset}`;
  const missed: unknown[] = [];
  const join = talk.say({ case: "join", value: { topic, position } });
  const joined = await talk.answer(join, missed as never[]);
  // Its own coming is numbered as well, and not told.
  const last = `${epoch}:${offset + 2}`;
  expect(joined.value).toMatchObject({ outcome: Outcome.RECOVERED, position: last, replayed: 2 });
  expect(missed).toMatchObject([{ case: "event", value: { position: `${epoch}:${offset + 1}` } }]);
});

it("calls methods, and takes streams", async () => {
  using talk = await begun("streams");
  const items: { value: { value: never } }[] = [];
  const invoke = { method: "count", arguments: list([3]) };
  const end = await talk.answer(talk.say({ case: "invoke", value: invoke }), items as never[]);
  expect(end.case).toBe("invoked");
  expect(items.map(({ value }) => toJson(ValueSchema, value.value))).toEqual([1, 2, 3]);
});

it("holds a stream back while its caller does not read, and brings all of it", async () => {
  using talk = await begun("streams");
  const relay = relayOf("streams", talk.connectionId);
  const waiting = () =>
    runInDurableObject(relay, (one) => {
      const { parts } = one as unknown as { parts: Pick<RelayParts, "connections"> };
      return parts.connections.get(talk.connectionId)!.flow.untaken;
    });
  const id = talk.say({ case: "invoke", value: { method: "busy", arguments: list([]) } });
  await expect.poll(waiting).toBeGreaterThan(500_000);
  expect(await waiting()).toBeLessThan(800_000);
  // More than may wait for a reader.
  const read: unknown[] = [];
  while (read.length < 20_000) {
    const item = await talk.next();
    if (item?.case === "item") read.push(toJson(ValueSchema, item.value.value!));
    else if (item?.case !== "heartbeat") throw new Error(`Not an item: ${item?.case}`);
  }
  expect(read).toEqual(range(0, 19_999));
  talk.say({ case: "cancel", value: id });
  expect(await talk.answer(id, [])).toMatchObject({ value: { code: "cancelled" } });
});

it("does not wait for a report of less than the worker reports at once", async () => {
  using talk = await begun("few-queued");
  const id = talk.say({ case: "invoke", value: { method: "busy", arguments: list([]) } });
  for (let n = 0; n < 3_000;) if ((await talk.next())?.case === "item") n++;
  talk.say({ case: "cancel", value: id });
  expect(await talk.answer(id, [])).toMatchObject({ value: { code: "cancelled" } });
});

it("is told which room a fresh token takes from it", async () => {
  const admitting = (...channels: string[]) => ({ caps: [{ channels, allow: ["sub"] }] });
  const [kept, taken] = ["group:kept", "group:taken"];
  using talk = await begun("closed", { claims: admitting(kept, taken) });
  await talk.answer(talk.say({ case: "join", value: { topic: taken } }));
  const fresh = list([{ token: await token("alice", admitting(kept)) }]);
  const others: SessionResponse["kind"][] = [];
  await talk.answer(
    talk.say({ case: "invoke", value: { method: "$/refresh", arguments: fresh } }),
    others,
  );
  expect(others).toMatchObject([{ case: "left", value: { topic: taken, reason: "forbidden" } }]);
});

it("answers what fails by itself, and goes on", async () => {
  using talk = await begun("zoo");
  const fails = talk.say({ case: "invoke", value: { method: "none" } });
  expect((await talk.answer(fails)).value).toMatchObject({ code: "method_not_found" });
  const works = talk.say({ case: "invoke", value: { method: "echo", arguments: list([1]) } });
  expect((await talk.answer(works)).case).toBe("invoked");
});

it("refuses a call whose stream nobody could send", async () => {
  using talk = await begun("streams");
  const call = { method: "sum", arguments: list([{ $stream: "items" }]) };
  const refused = talk.say({ case: "invoke", value: call });
  expect((await talk.answer(refused)).value).toMatchObject({ code: "wrong_kind" });
  talk.finish();
  expect(await talk.next()).toBeNull();
});

it("ends when its caller has said all and has its answers", async () => {
  using talk = await begun("zoo");
  const id = talk.say({ case: "invoke", value: { method: "echo", arguments: list([1]) } });
  talk.finish();
  expect((await talk.answer(id)).case).toBe("invoked");
  expect(await talk.next()).toBeNull();
});

it.each([
  ["says all before it is answered", [{ case: "hello", value: { hub: "zoo" } }]],
  ["does not echo what it was answered", [HELLO(), { case: "confirm", value: "guessed" }]],
  ["says something else first", [HELLO(), { case: "leave", value: "group:a" }]],
] as const)("is unimplemented at once for a caller that %s", async (_, kinds) => {
  using talk = new Talker(clientBy(), await as("alice"));
  for (const kind of kinds) talk.say(kind as never);
  talk.finish();
  const all = (async () => {
    while (await talk.next());
  })();
  expect(await failure(all)).toEqual(["Unimplemented", "unimplemented"]);
});

function HELLO() {
  return { case: "hello", value: { hub: "zoo" } } as const;
}

it("is unimplemented at once in gRPC-Web", async () => {
  const requests = async function* () {
    yield { kind: HELLO() };
  };
  const stream = clientBy("grpc-web").session(requests(), await as("alice"));
  expect(await failure(drained(stream))).toEqual(["Unimplemented", "unimplemented"]);
});

it("is unimplemented at once for a body whose length is known", async () => {
  const { headers } = await as("alice");
  const response = await exports.default.fetch(`${BASE}/dormouse.v1.Hub/Session`, {
    method: "POST",
    headers: { ...headers, "content-type": "application/connect+json", "content-length": "5" },
    body: new Uint8Array(5),
  });
  expect(await response.text()).toContain('"unimplemented"');
});

it("begins with hello", async () => {
  using talk = new Talker(clientBy(), await as("alice"));
  talk.say({ case: "leave", value: "group:a" });
  expect(await failure(talk.next())).toEqual(["InvalidArgument", "invalid_arguments"]);
});
