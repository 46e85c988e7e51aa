// Streams from a client: an argument stands for them, items follow.

import { describe, expect, it } from "vitest";
import { enter } from "../../rooms/client.ts";
import { cancel, end, item, notification, request, upload } from "../frames.ts";

/** Sends the frames, and gives the outcome of the call with id "u": its result, or its error's code. */
async function outcome(frames: unknown[], hub = "streams") {
  using alice = await enter(`${hub}/group:uploads`, { user: crypto.randomUUID() });
  for (const frame of frames) alice.send(frame);
  const { result, error } = await alice.response("u");
  return error ? error.data.code : result;
}

const items = (stream: string, ...values: unknown[]) => values.map((value) => item(stream, value));
const calling = (method = "sum", args: unknown[] = [upload("a")]) => request("u", method, args);

describe("an upload", () => {
  it("loses nothing that is sent right behind the call", async () => {
    expect(await outcome([calling(), ...items("a", 1, 2, 3), end("a")])).toBe(6);
  });

  it("loses nothing that is sent in the same frame as the call", async () => {
    const frame = [calling(), ...items("a", 1, 2, 3), end("a")];
    expect(await outcome([frame])).toBe(6);
  });

  it("takes 1,000 items before its method reads the first", async () => {
    const frames = [calling("sumLate", ["thousand", upload("a")])];
    const values = Array.from({ length: 1_000 }, (_, n) => n);
    const sent = [
      ...frames,
      ...items("a", ...values),
      end("a"),
      request("r", "release", ["thousand"]),
    ];
    expect(await outcome(sent)).toBe(499_500);
  });

  it("that overruns its reader fails with rate_limited, and the connection lives", async () => {
    using alice = await enter("narrow/group:overrun");
    alice.send(calling("sumLate", ["overrun", upload("a")]));
    for (const frame of items("a", 1, 2, 3, 4, 5)) alice.send(frame);
    await alice.call("release", ["overrun"]);
    expect((await alice.response("u")).error).toMatchObject({
      code: -32005,
      data: { code: "rate_limited" },
    });
    expect((await alice.call("trace")).result).toEqual([]);
  });

  it("that overruns its bytes fails with rate_limited", async () => {
    using alice = await enter("streams/group:bytes");
    alice.send(calling("sumLate", ["bytes", upload("a")]));
    for (let n = 0; n < 40; n++) alice.send(padded("a", n));
    alice.send(request("r", "release", ["bytes"]));
    expect((await alice.response("u")).error!.data.code).toBe("rate_limited");
  });

  it("that the client ends with an error fails its call with that", async () => {
    expect(await outcome([calling(), ...items("a", 1), end("a", "no more")])).toBe("interrupted");
  });

  it("with an item its schema refuses fails its call", async () => {
    expect(await outcome([calling(), ...items("a", 1, "two")])).toBe("invalid_item");
  });

  it("is closed when its method returns early, and its name is free again", async () => {
    using alice = await enter("streams/group:early");
    alice.send(calling("first"));
    for (const frame of items("a", 7, 8)) alice.send(frame);
    expect((await alice.response("u")).result).toBe(7);
    for (const frame of items("a", 9)) alice.send(frame);
    alice.send(request("v", "sum", [upload("a")]));
    for (const frame of [...items("a", 1), end("a")]) alice.send(frame);
    expect((await alice.response("v")).result).toBe(1);
  });

  it("is closed when its call is refused, and its name is free again", async () => {
    using alice = await enter("streams/group:refused");
    alice.send(calling("sum", [upload("a"), "too", "many"]));
    for (const frame of items("a", 5)) alice.send(frame);
    expect((await alice.response("u")).error!.data.code).toBe("invalid_arguments");
    alice.send(request("v", "sum", [upload("a")]));
    for (const frame of [...items("a", 1), end("a")]) alice.send(frame);
    expect((await alice.response("v")).result).toBe(1);
  });

  it("ends when its call is cancelled", async () => {
    using alice = await enter("streams/group:cancelled");
    alice.send(calling());
    for (const frame of [...items("a", 1), cancel("u")]) alice.send(frame);
    expect((await alice.response("u")).error!.code).toBe(-32800);
    alice.send(request("v", "sum", [upload("a")]));
    alice.send(end("a"));
    const { result, error } = await alice.response("v");
    expect(error?.data.code ?? result).toBe(0);
  });

  it("feeds a stream that goes out", async () => {
    using alice = await enter("streams/group:both");
    alice.send(calling("doubled"));
    for (const frame of [...items("a", 1, 2), end("a")]) alice.send(frame);
    expect((await alice.response("u")).result).toBeNull();
    expect(alice.messages("$/item").map(({ params }) => params.item)).toEqual([2, 4]);
  });

  it("may be one of two, and sent as a notification", async () => {
    const both = calling("sumBoth", [upload("a"), upload("b")]);
    const sent = [both, ...items("b", 10), ...items("a", 1), end("b"), end("a")];
    expect(await outcome(sent)).toEqual([1, 10]);
    expect(await outcome([notification("sum", [upload("z")]), ...[calling(), end("a")]])).toBe(0);
  });

  it("is refused where its name is taken", async () => {
    expect(await outcome([calling("sumBoth", [upload("a"), upload("a")])])).toBe("duplicate_id");
    using alice = await enter("streams/group:taken");
    alice.send(request("t", "sum", [upload("a")]));
    alice.send(calling());
    expect((await alice.response("u")).error).toMatchObject({
      code: -32600,
      data: { code: "duplicate_id" },
    });
    for (const frame of [...items("a", 1, 2), end("a")]) alice.send(frame);
    expect((await alice.response("t")).result).toBe(3);
  });

  it("is refused beyond the streams a connection may have", async () => {
    const others = ["b", "c"].map((id) => request(id, "sum", [upload(id)]));
    expect(await outcome([...others, calling()], "narrow")).toBe("too_many_streams");
    const both = request("b", "sumBoth", [upload("b"), upload("c")]); // one call, two uploads
    expect(await outcome([both, calling()], "narrow")).toBe("too_many_streams");
  });
});

it("items and ends of streams that nobody reads are ignored", async () => {
  using alice = await enter("streams/group:nobody");
  for (const name of ["x", "__proto__", "constructor"])
    for (const frame of [...items(name, 1), end(name), end(name, "why")]) alice.send(frame);
  expect((await alice.call("trace")).result).toEqual([]);
  expect(alice.heard.filter(({ error }) => error)).toEqual([]);
});

/** An item of a number in a frame of 30,000 bytes. */
const padded = (stream: string, value: number) =>
  JSON.stringify(item(stream, value)) + " ".repeat(30_000);
