// The fixed order of a call: find → authorise → validate.

import { describe, expect, it } from "vitest";
import * as z from "zod";
import { authorize, hub, method, streamOf } from "../../../src/dispatch/define/hub-definition.ts";
import { check } from "../../../src/dispatch/define/validate.ts";
import { prepare } from "../../../src/dispatch/run/admit-call.ts";
import { nobody, signedIn, type Call, type Policy } from "../../../src/dispatch/define/policies.ts";
import { servedHub } from "../../../src/dispatch/define/hub-tables.ts";
import { StreamRef } from "../../../src/model/message.ts";
import { runtime } from "../../support/test-user.ts";

async function* pieces(...items: unknown[]) {
  yield* items;
}

const table = servedHub(
  hub("sums").methods({
    add: method([z.number(), z.number().default(1)], (_context, a, b) => a + b),
    upload: method([z.string(), streamOf(z.number())], () => {}),
    closed: authorize(nobody).method([z.never()], () => {}),
  }),
);

const call = (target: string, args: unknown[] = [], items: unknown[] = []) =>
  prepare(table, { target, args, user: null, runtime, open: () => pieces(...items) });

describe("find", () => {
  it.each([
    "missing",
    "ADD",
    "add ",
    "",
    "__proto__",
    "constructor",
    "then",
    "toString",
    "hasOwnProperty",
    "prototype",
  ])('refuses "%s", which is no method', async (target) => {
    await expect(call(target)).rejects.toMatchObject({ code: "method_not_found" });
  });

  it("does not repeat the name it was given", async () => {
    await expect(call("<script>")).rejects.toMatchObject({
      message: "Hub sums has no such method.",
    });
  });
});

describe("authorise", () => {
  it("comes before validation", async () => {
    await expect(call("closed", ["what no schema takes"])).rejects.toMatchObject({
      code: "forbidden",
    });
  });

  it("asks the hub's policy first, then the method's, with the whole call", async () => {
    const asked: [string, Call][] = [];
    const asking =
      (name: string): Policy =>
      (seen) =>
        asked.push([name, seen]) > 0;
    const guarded = servedHub(
      hub("guarded", { authorize: asking("hub") }).methods({
        go: authorize(asking("method")).method([z.string()], () => {}),
      }),
    );
    await prepare(guarded, {
      target: "go",
      args: ["x"],
      user: null,
      runtime,
      open: () => pieces(),
    });
    const seen = { hub: "guarded", method: "go", user: null, args: ["x"], ...runtime };
    expect(asked).toEqual([
      ["hub", seen],
      ["method", seen],
    ]);
  });

  it("does not ask the method's policy where the hub's refuses", async () => {
    const unasked: Policy = () => Promise.reject(new Error("asked"));
    const guarded = servedHub(
      hub("guarded", { authorize: signedIn }).methods({
        go: authorize(unasked).method([], () => {}),
      }),
    );
    const refused = prepare(guarded, {
      target: "go",
      args: [],
      user: null,
      runtime,
      open: () => pieces(),
    });
    await expect(refused).rejects.toMatchObject({ code: "forbidden" });
  });
});

describe("validate", () => {
  it("gives the values as the schemas make them", async () => {
    expect((await call("add", [1])).args).toEqual([1, 1]);
    expect((await call("add", [1, 2])).args).toEqual([1, 2]);
  });

  it("names the argument it refuses", async () => {
    await expect(call("add", [1, "2"])).rejects.toMatchObject({
      code: "invalid_arguments",
      message: expect.stringMatching(/^Argument 2: /),
    });
  });

  it("refuses more arguments than there are", async () => {
    await expect(call("add", [1, 2, 3])).rejects.toMatchObject({
      code: "invalid_arguments",
      message: "3 arguments; 2 expected.",
    });
  });

  it("refuses a missing argument", async () => {
    await expect(call("add")).rejects.toMatchObject({ code: "invalid_arguments" });
  });

  it("refuses a value where a stream is expected", async () => {
    await expect(call("upload", ["x", [1, 2]])).rejects.toMatchObject({
      code: "invalid_arguments",
      message: expect.stringMatching(/^Argument 2: a stream is expected \(received: /),
    });
  });

  it("refuses a stream where a value is expected", async () => {
    await expect(call("add", [new StreamRef("s")])).rejects.toMatchObject({
      code: "invalid_arguments",
    });
  });

  it("checks the items of a stream as they are read", async () => {
    const { args } = await call("upload", ["x", new StreamRef("s")], [1, "2"]);
    const items = (args[1] as AsyncIterable<number>)[Symbol.asyncIterator]();
    expect(await items.next()).toEqual({ done: false, value: 1 });
    await expect(items.next()).rejects.toMatchObject({ code: "invalid_item" });
  });
});

describe("check", () => {
  it("says where in a value the fault is", async () => {
    const Nested = z.object({ lines: z.array(z.object({ sku: z.string() })) });
    await expect(check(Nested, { lines: [{ sku: 1 }] }, "Argument 1")).rejects.toMatchObject({
      message: expect.stringMatching(/^Argument 1 \(lines\.0\.sku\): /),
    });
  });

  it("waits for a schema that takes its time", async () => {
    const Slow = z.string().refine(async (text) => text === "yes");
    expect(await check(Slow, "yes", "Argument 1")).toBe("yes");
    await expect(check(Slow, "no", "Argument 1")).rejects.toMatchObject({
      code: "invalid_arguments",
    });
  });

  it("keeps what it says short, however long the schema's message is", async () => {
    const Wordy = z.string({ error: "x".repeat(10_000) });
    const refusal = await check(Wordy, 1, "Argument 1").catch((error: Error) => error.message);
    expect(refusal).toHaveLength(500);
  });
});
