// Rooms with state over Connect and gRPC-Web: runs and reads, and the state of subscribed and joined rooms.

import { toJson } from "@bufbuild/protobuf";
import { ValueSchema } from "@bufbuild/protobuf/wkt";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { applyPatch } from "../../../src/model/merge-patch.ts";
import {
  Standing_Outcome as Outcome,
  type Standing,
  type State,
} from "../../../src/protocols/proto/dormouse/v1/hub_pb.ts";
import { as, clientBy, failure, listen, PROTOCOLS, type Listener } from "./client.ts";
import { begun } from "./talker.ts";
import { list } from "./values.ts";

beforeEach(() => {
  for (const level of ["info", "warn", "error"] as const)
    vi.spyOn(console, level).mockImplementation(() => {});
});
afterEach(() => vi.restoreAllMocks());

const named = () => `group:${crypto.randomUUID()}`;
const run = async (topic: string, action: string, args: unknown[] = [], more: object = {}) => {
  const request = { hub: "odd", topic, action, arguments: list(args as never), ...more };
  const { result, position, repeated } = await clientBy().run(request, await as("alice"));
  return { result: toJson(ValueSchema, result!), position, repeated };
};

/** The next standing, or change of a state. */
async function next(stream: Listener): Promise<Standing | State> {
  for (;;) {
    const { case: name, value } = await stream.next();
    if (name === "standing" || name === "state") return value;
  }
}

describe.each(PROTOCOLS)("over %s", (protocol) => {
  it("[ST5][ST6] a subscription begins with a snapshot, and goes on with changes, also after a break", async () => {
    const topic = named();
    await run(topic, "add", [5]);
    const hub = "odd";
    await using stream = await listen({ hub, topics: [{ topic, position: "" }] }, { protocol });
    const standing = (await next(stream)) as Standing;
    expect(standing).toMatchObject({ topic, outcome: Outcome.CONNECTED });
    expect(JSON.parse(standing.stateJson)).toEqual({ notes: {}, count: 5 });
    await run(topic, "add", [1]);
    const change = (await next(stream)) as State;
    expect(change).toMatchObject({
      ...{ topic, change: { case: "patchJson", value: '{"count":6}' } },
    });
    const { position } = await run(topic, "fill", [200]);
    const since = { hub, topics: [{ topic, position: change.position }] };
    await using again = await listen(since, { protocol });
    expect(await next(again)).toMatchObject({ outcome: Outcome.RECOVERED, stateJson: "" });
    const missed = (await next(again)) as State;
    expect(missed).toMatchObject({ change: { case: "patchJson" }, position });
    const copy = applyPatch({ notes: {}, count: 6 }, JSON.parse(missed.change.value!));
    const { stateJson } = await clientBy(protocol).getState({ hub, topic }, await as("alice"));
    expect(JSON.parse(stateJson)).toEqual(copy);
  });
});

it("a lost position is a snapshot", async () => {
  const topic = named();
  await run(topic, "add", [5]);
  const topics = [{ topic, position: "elsewhere:1" }];
  await using stream = await listen({ hub: "odd", topics });
  const standing = (await next(stream)) as Standing;
  expect(standing.outcome).toBe(Outcome.RESET);
  expect(JSON.parse(standing.stateJson)).toEqual({ notes: {}, count: 5 });
});

it("[F20] there is nothing of it where clients see none", async () => {
  const topic = named();
  const topics = [{ topic, position: "" }];
  await using stream = await listen({ hub: "odd-hidden", topics });
  expect(await next(stream)).toMatchObject({ stateJson: "" });
  const request = { hub: "odd-hidden", topic };
  await clientBy().run({ ...request, action: "add", arguments: list([1]) }, await as("bob"));
  expect((await stream.told()).slice(0, 3)).toEqual(["event", topic, "added"]);
  const read = clientBy().getState(request, await as("alice"));
  expect(await failure(read)).toEqual(["NotFound", "method_not_found"]);
});

it("[ST4] a run under a key is done once, and one at a position only there", async () => {
  const topic = named();
  const first = await run(topic, "add", [1], { idempotencyKey: "k" });
  expect(first).toEqual({ result: 1, position: expect.any(String), repeated: false });
  expect(await run(topic, "add", [1], { idempotencyKey: "k" })).toEqual({
    ...first,
    repeated: true,
  });
  const { position } = first;
  expect((await run(topic, "add", [1], { position })).result).toBe(2);
  expect(await failure(run(topic, "add", [1], { position }))).toEqual(["Aborted", "conflict"]);
  expect(await failure(run(topic, "half"))).toEqual(["FailedPrecondition", "no"]);
  expect(await failure(run(topic, ""))).toEqual(["InvalidArgument", "invalid_arguments"]);
});

it("[ST8] a session gets the snapshot before the answer to its join, and its answers behind their effects", async () => {
  using talk = await begun("odd");
  const topic = named();
  const before: object[] = [];
  await talk.answer(talk.say({ case: "join", value: { topic, position: "" } }), before as never[]);
  expect(before).toMatchObject([
    {
      case: "state",
      value: { topic, change: { case: "stateJson", value: '{"notes":{},"count":0}' } },
    },
  ]);
  const effects: object[] = [];
  const request = { topic, action: "add", arguments: list([3]) };
  const ran = await talk.answer(talk.say({ case: "run", value: request }), effects as never[]);
  expect(ran).toMatchObject({ case: "ran", value: { repeated: false } });
  expect(effects).toMatchObject([
    { case: "state", value: { change: { case: "patchJson", value: '{"count":3}' } } },
    { case: "event", value: { target: "added" } },
  ]);
});
