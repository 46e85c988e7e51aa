// What hub code sends is checked against what the hub declares, in development and in tests of user code.

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import * as z from "zod";
import { messageCheckOf, resultCheckOf } from "../../../src/dispatch/define/outgoing-check.ts";
import { calling, callingRoom, world } from "../../../src/dispatch/testing/testing.ts";
import { clientMethods, hub, method, returns } from "../../../src/hub.ts";
import { DeclaredHub, DeclaredRooms } from "../../support/declared-hub.ts";

const note = { text: "hello", tags: [] };
const user = { id: "alice" };
const codeOf = (work: Promise<unknown>): Promise<unknown> =>
  work.catch(({ code }: { code: string }) => code);

let lines: unknown[];
beforeEach(() => {
  lines = [];
  vi.spyOn(console, "error").mockImplementation(
    (line: string) => void lines.push(JSON.parse(line)),
  );
});
afterEach(() => void vi.restoreAllMocks());

describe("messages", () => {
  const check = messageCheckOf({ hub: DeclaredHub }, { DEVELOPMENT: "1" })!;

  it.each([
    ["as declared", "noted", ["bob", note]],
    ["without an argument that may be missing", "marked", ["low"]],
  ])("%s are sent", (_, target, args) => {
    expect(check(target, args)).toBeUndefined();
  });

  it.each<[string, string, unknown[], string | RegExp]>([
    [
      "with a wrong value",
      "noted",
      ["bob", { text: 1, tags: [] }],
      'declared.noted: Argument 2 "note" (text): Invalid input: expected string, received number',
    ],
    [
      "with a value that another library refuses",
      "marked",
      ["middle"],
      /^declared\.marked: Argument 1 "level": Invalid type/,
    ],
    ["with too few arguments", "noted", ["bob"], /^declared\.noted: Argument 2 "note": /],
    ["with too many", "confirm", ["Sure?", 1], "declared.confirm: 2 arguments; 1 declared."],
    [
      "that the hub does not declare",
      "toString",
      [],
      "declared.toString: the hub declares no such client method.",
    ],
  ])("%s are refused", (_, target, args, problem) => {
    expect(() => check(target, args)).toThrow(problem);
    expect(() => check(target, args)).toThrow(expect.objectContaining({ code: "invalid_message" }));
  });

  it("are logged when they are refused, since hub code need not wait for them", () => {
    expect(() => check("confirm", [1])).toThrow("Argument 1");
    expect(lines).toMatchObject([{ event: "invalid_message", hub: "declared", method: "confirm" }]);
  });

  it("are not checked where a worker is deployed, nor where a hub declares none", () => {
    expect(messageCheckOf({ hub: DeclaredHub }, {})).toBeUndefined();
    expect(messageCheckOf({ hub: hub("plain").methods({}) }, { DEVELOPMENT: "1" })).toBeUndefined();
  });

  it("are not checked by a schema that waits: the order of messages stays", () => {
    const later = {
      "~standard": { version: 1, vendor: "own", validate: async () => ({ issues: [] }) },
    } as const;
    const Late = hub("late", { client: clientMethods({ said: [later] }) }).methods({
      say: method([], () => {}),
    });
    expect(messageCheckOf({ hub: Late, isTested: true }, {})!("said", [1])).toBeUndefined();
  });
});

it("results are not checked where a worker is deployed", () => {
  const member = DeclaredHub.members.addWrongly;
  expect(
    resultCheckOf({ hub: DeclaredHub }, member, { env: {}, name: "addWrongly" }),
  ).toBeUndefined();
});

it.each<[string, string, z.ZodType]>([
  ["void", "null", z.void()],
  ["undefined", "null", z.undefined()],
  ["an optional text", "null", z.string().optional()],
  ["a number", "invalid_result", z.number()],
])("null, the result of an action without one, for %s: %s", async (_, answer, schema) => {
  const Closed = hub("closed").methods({
    close: returns(schema).method([], async () => null),
  });
  const { invoke } = calling(Closed, { user });
  expect(String(await codeOf(invoke.close()))).toBe(answer);
});

it.each([null, undefined])("a client answers a method of no result with %s", async (acked) => {
  const client = clientMethods({ ack: { args: [], returns: z.void() } });
  const Acked = hub("acked", { client }).methods({
    ask: method([], async ({ clients }) => String(await clients.caller.ack())),
  });
  const { invoke } = calling(Acked, { user, answers: { ack: acked } as never });
  expect(await invoke.ask()).toBe("undefined");
  const other = calling(Acked, { user, answers: { ack: 0 } as never });
  expect(await codeOf(other.invoke.ask())).toBe("invalid_arguments");
});

describe("calling", () => {
  it("refuses a message and a result that the hub does not declare", async () => {
    const { invoke, stream, sent } = calling(DeclaredHub, { user, answers: { confirm: true } });
    expect(await codeOf(invoke.addWrongly())).toBe("invalid_result");
    expect(await codeOf(invoke.shoutWrongly())).toBe("invalid_message");
    const items: number[] = [];
    const read = async () => {
      for await (const item of stream.numberWrongly()) items.push(item);
    };
    expect([await codeOf(read()), items, sent]).toEqual(["invalid_result", [1], []]);
  });

  it("takes those that it declares, and clients' results by their schemas", async () => {
    const { invoke, sent } = calling(DeclaredHub, { user, answers: { confirm: true } });
    expect(await invoke.note(note)).toEqual({ ...note, rating: 1 });
    expect(await invoke.ask("Sure?")).toBe(true);
    expect(sent.map(({ method: name }) => name)).toEqual(["noted", "confirm"]);
    const other = calling(DeclaredHub, { user, answers: { confirm: "yes" } as never });
    expect(await codeOf(other.invoke.ask("Sure?"))).toBe("invalid_arguments");
  });
});

it("a world fails the call whose message was refused, although it did not wait for it", async () => {
  const rooms = world(DeclaredHub);
  const alice = await rooms.connect({ user: "alice" });
  expect(await codeOf(alice.invoke.noteWrongly())).toBe("invalid_message");
  expect(await codeOf(alice.invoke.addWrongly())).toBe("invalid_result");
  expect(alice.received).toEqual([]);
});

it("a room takes nothing of an action whose message or result was refused", async () => {
  const room = callingRoom(DeclaredRooms, { user });
  expect(await room.run.pin("a", note)).toBe(1);
  expect(await codeOf(room.run.pinWrongly())).toBe("invalid_message");
  expect(await codeOf(room.run.countWrongly())).toBe("invalid_result");
  expect([room.state.count, room.sent.length]).toEqual([1, 1]);
});
