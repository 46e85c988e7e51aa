// Subscribe: rooms as a stream of messages, mended and resumed by position, with nothing left behind.

import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { Standing_Outcome as Outcome } from "../../../src/protocols/proto/dormouse/v1/hub_pb.ts";
import { formatPosition } from "../../../src/model/topic.ts";
import { roomAt } from "../../rooms/client.ts";
import {
  as,
  clientBy,
  drained,
  emptied,
  failure,
  listen,
  PROTOCOLS,
  say,
  socketsIn,
} from "./client.ts";
import { envelope, HUB, raw } from "./raw.ts";

const topics = (topic: string, position = "") => [{ topic, position }];

describe.each(PROTOCOLS)("over %s", (protocol) => {
  it("hears what is said, after where the room stands", async () => {
    const topic = `group:hear-${protocol}`;
    const at = formatPosition(await say(`plain/${topic}`, "before"));
    await using stream = await listen({ hub: "plain", topics: topics(topic) }, { protocol });
    expect(await stream.told()).toEqual(["standing", Outcome.CONNECTED, at, 0]);
    const position = formatPosition(await say(`plain/${topic}`, "now"));
    expect(await stream.told()).toEqual(["event", topic, "said", ["now"], expect.any(String)]);
    expect(position.split(":")[0]).toBe(at.split(":")[0]);
  });

  it("leaves no socket behind when its caller is gone", async () => {
    const topic = `group:gone-${protocol}`;
    const stream = await listen({ hub: "plain", topics: topics(topic) }, { protocol });
    await stream.told();
    expect(await socketsIn(`plain/${topic}`)).toBe(1);
    stream.end();
    await emptied(`plain/${topic}`);
  });
});

it("goes on where its caller was, and hears what was missed", async () => {
  const topic = "group:resumed";
  const since = formatPosition(await say(`plain/${topic}`, "heard"));
  await say(`plain/${topic}`, "missed");
  await using stream = await listen({ hub: "plain", topics: topics(topic, since) });
  expect(await stream.told()).toEqual(["standing", Outcome.RECOVERED, since, 1]);
  expect((await stream.told()).slice(0, 4)).toEqual(["event", topic, "said", ["missed"]]);
});

it("says so where a position is lost, or ends with ABORTED if its caller would rather", async () => {
  const topic = "group:lost";
  const at = formatPosition(await say(`plain/${topic}`, "x"));
  await using stream = await listen({ hub: "plain", topics: topics(topic, "elsewhere:1") });
  expect(await stream.told()).toEqual(["standing", Outcome.RESET, at, 0]);
  const strict = { hub: "plain", topics: topics(topic, "elsewhere:1"), strict: true };
  const refused = clientBy().subscribe(strict, await as("alice"));
  expect(await failure(drained(refused))).toEqual(["Aborted", "history_gone"]);
});

it("tells who comes and goes only where that is asked for", async () => {
  const topic = "group:present";
  await using stream = await listen({ hub: "plain", topics: topics(topic), presence: true });
  await stream.told();
  expect(await stream.told()).toMatchObject(["presence", topic, { joined: [{ userId: "alice" }] }]);
});

it("tells what several topics hear once", async () => {
  const hub = "plain";
  const request = { hub, topics: [...topics("group:one"), ...topics("group:two")] };
  await using stream = await listen(request);
  await stream.told();
  await stream.told();
  await say("plain/all", "to all");
  expect((await stream.told()).slice(0, 4)).toEqual(["event", "all", "said", ["to all"]]);
  await say("plain/group:two", "to two");
  expect((await stream.told()).slice(0, 4)).toEqual(["event", "group:two", "said", ["to two"]]);
});

it("is mended where its room loses its sockets, without a gap", async () => {
  const topic = "group:mended";
  await using stream = await listen({ hub: "plain", topics: topics(topic) });
  await stream.told();
  await say(`plain/${topic}`, "first");
  expect((await stream.told())[3]).toEqual(["first"]);
  await evictDurableObject(roomAt(`plain/${topic}`), { webSockets: "close" });
  await say(`plain/${topic}`, "second");
  const said: unknown[] = [];
  while (said[0] !== "event") said.splice(0, said.length, ...(await stream.told()));
  expect(said[3]).toEqual(["second"]);
});

it("keeps its room asleep while nothing is said", async () => {
  const topic = "group:asleep";
  await using stream = await listen({ hub: "plain", topics: topics(topic) });
  await stream.told();
  await evictDurableObject(roomAt(`plain/${topic}`));
  await say(`plain/${topic}`, "awake");
  expect((await stream.told())[3]).toEqual(["awake"]);
});

it.each<[string, number, [string, string]]>([
  ["a service ends it", 4510, ["FailedPrecondition", "ended"]],
  ["its token expires", 4401, ["Unauthenticated", "token_expired"]],
  ["its token is revoked", 4511, ["Unauthenticated", "token_revoked"]],
  ["a fresh token does not admit it", 4505, ["PermissionDenied", "forbidden"]],
])("ends where %s, and says why", async (_, code, expected) => {
  const topic = `group:ended-${code}`;
  await using stream = await listen({ hub: "plain", topics: topics(topic) });
  await stream.told();
  await runInDurableObject(roomAt(`plain/${topic}`), (__, state) => {
    for (const socket of state.getWebSockets()) socket.close(code);
  });
  const rest = (async () => {
    for (;;) await stream.told();
  })();
  expect(await failure(rest)).toEqual(expected);
});

it("lets go of its room as soon as nobody reads it, though nothing is said", async () => {
  const asked = envelope('{"hub":"plain","topics":[{"topic":"group:unread"}]}');
  const options = { path: `${HUB}/Subscribe`, type: "application/connect+json" };
  const reader = (await raw(asked, options)).body!.getReader();
  await reader.read();
  expect(await socketsIn("plain/group:unread")).toBe(1);
  const waiting = reader.read();
  const [ended] = await Promise.allSettled([waiting, reader.cancel()]);
  expect(ended.status).toBe("rejected");
  await emptied("plain/group:unread");
});

it("tells what no value of protobuf holds, too deep, too large or no UTF-8, as text, and goes on", async () => {
  const deep = JSON.parse(`${"[".repeat(60)}${"]".repeat(60)}`) as unknown;
  await using alice = await listen({ hub: "plain", topics: topics("group:deep") });
  await alice.told();
  await say("plain/group:deep", deep);
  const event = await alice.next();
  if (event.case !== "event") throw new Error(`It said ${event.case}.`);
  expect(JSON.parse(event.value.argumentsJson)).toEqual([deep]);
  await roomAt("plain/group:deep").publish({ target: "said", params: "[9007199254740993]" });
  const large = await alice.next();
  expect(large.case === "event" && large.value.argumentsJson).toBe("[9007199254740993]");
  const halves = { "\ud800": ["\udc00"] };
  await say("plain/group:deep", halves);
  const half = await alice.next();
  expect(JSON.parse(half.case === "event" ? half.value.argumentsJson : "")).toEqual([halves]);
  await say("plain/group:deep", "on");
  expect((await alice.told())[3]).toEqual(["on"]);
});
