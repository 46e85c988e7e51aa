// Lost streams and their reconnection: pauses, tokens, refusals, and streams ended by the room.

import { describe, expect, it, onTestFinished, vi } from "vitest";
import { startReader, reconnectionCodes, texts, type Reader } from "./event-server.ts";
import { advance } from "../server.ts";

/** Milliseconds between consecutive requests, each of which is lost at once. */
async function pauses(reader: Reader, count: number, lose: () => void): Promise<number[]> {
  const lengths: number[] = [];
  while (lengths.length < count) {
    const lostAt = Date.now();
    const before = reader.requests.length;
    lose();
    while (reader.requests.length === before) await vi.advanceTimersByTimeAsync(100);
    lengths.push(Date.now() - lostAt);
  }
  return lengths;
}

describe("after a loss", () => {
  it("pauses grow to their limit, however long nothing succeeds", async () => {
    const reader = await startReader();
    const { request, received } = reader;
    const lengths = await pauses(reader, 8, () => request.fail());
    expect(lengths).toEqual([500, 1_000, 2_000, 4_000, 8_000, 15_000, 15_000, 15_000]);
    expect(new Set(reconnectionCodes(reader))).toEqual(new Set(["disconnected"]));
    expect(received[0]).toMatchObject({ type: "reconnecting", retryAt: expect.any(Number) });
  });

  it("the pause is no longer where the clock is set back before it", async () => {
    const reader = await startReader({}, ({ type }) => {
      if (type === "reconnecting") vi.setSystemTime(Date.now() - 3_600_000);
    });
    reader.request.fail();
    await advance(500);
    expect(reader.requests).toHaveLength(2);
  });

  it("the pause is what the server asks for, where that is more", async () => {
    const reader = await startReader({ backoff: { random: () => 0, capMs: 3_000 } });
    const { request } = reader;
    request.accept().write("retry: 1700\n\n");
    await advance();
    expect(await pauses(reader, 2, () => request.fail())).toEqual([1_700, 1_700]);
    expect(await pauses(reader, 1, () => request.refuse(503, { "retry-after": "2" }))).toEqual([
      2_000,
    ]);
    expect(await pauses(reader, 1, () => request.refuse(429, { "retry-after": "60" }))).toEqual([
      60_000,
    ]);
    expect(await pauses(reader, 1, () => request.refuse(503, { "retry-after": "later" }))).toEqual([
      1_700,
    ]);
  });

  it("of a stream that was a good one, the next failure is the first again", async () => {
    const reader = await startReader();
    const { request } = reader;
    await pauses(reader, 3, () => request.fail());
    request.greet();
    await advance(4_000);
    expect(await pauses(reader, 1, () => request.fail())).toEqual([4_000]);
    request.greet();
    await advance(5_000);
    expect(await pauses(reader, 1, () => request.end())).toEqual([500]);
  });

  it("every attempt has a fresh token, and one that cannot be had is a failure", async () => {
    let n = 0;
    const token = () => {
      if (++n === 2) throw new Error("The session is over.");
      return n === 3 ? new Promise<string>(() => {}) : `t${n}`;
    };
    const reader = await startReader({ token, tokenSeconds: 5 });
    reader.request.fail();
    await advance(500);
    await advance(1_000);
    await advance(5_000);
    await advance(2_000);
    expect(reconnectionCodes(reader)).toEqual(["disconnected", "no_token", "no_token"]);
    const sent = reader.requests.map(({ headers }) => headers.get("authorization"));
    expect(sent).toEqual(["Bearer t1", "Bearer t4"]);
  });

  it("as many attempts follow as they may, and then it throws", async () => {
    const { request, outcome, requests } = await startReader({ maxRetries: 1 });
    request.fail();
    await advance(500);
    request.fail();
    expect(await outcome).toEqual({ code: "disconnected" });
    expect(requests).toHaveLength(2);
  });
});

describe("a server that refuses", () => {
  it.each([
    [400, "invalid_position"],
    [401, "token_bad_signature"],
    [403, "forbidden"],
    [404, "hub_not_found"],
  ])("with %i ends the iteration: %s", async (status, code) => {
    const { request, outcome } = await startReader();
    request.refuse(status, { "x-dormouse-error": code });
    expect(await outcome).toEqual({ code });
  });

  it.each([204, 200, 410])("with %i and nothing of ours to read ends it, too", async (status) => {
    const { request, outcome } = await startReader();
    request.refuse(status, { "content-type": "text/html" });
    expect(await outcome).toEqual({ code: "disconnected" });
  });

  it.each([
    [401, "token_expired"],
    [408, "disconnected"],
    [429, "too_many_connections"],
    [500, "misconfigured"],
    [502, "disconnected"],
    [503, "unavailable"],
  ])("with %i may think otherwise later, of another token: %s", async (status, code) => {
    const reader = await startReader({ token: () => "t" });
    const { request, received } = reader;
    request.refuse(status, code === "disconnected" ? {} : { "x-dormouse-error": code });
    await advance(500);
    request.greet();
    await advance();
    expect(reconnectionCodes(reader)).toEqual([code]);
    expect(texts(received)).toEqual(["reconnecting", "connected"]);
  });
});

describe("a refusal's error", () => {
  const CODE = { "x-dormouse-error": "hub_not_found" };
  const message = expect.stringContaining("The server answered 404, ");

  it("has the server's code, sentence and advice, and the status", async () => {
    const { request, failure } = await startReader();
    const error = { code: "hub_not_found", message: "There is no hub.", action: "Look." };
    request.refuse(404, CODE, JSON.stringify({ error }));
    expect(await failure).toMatchObject({ name: "HubError", ...error, status: 404 });
  });

  it.each([
    ["no body", null],
    ["a body that is cut", '{"error":{"code"'],
    ["a body of others", '"no"'],
    ["null", "null"],
  ])("has its code with %s as well", async (_, body) => {
    const { request, failure } = await startReader();
    request.refuse(404, CODE, body);
    expect(await failure).toMatchObject({ code: "hub_not_found", message, status: 404 });
  });

  it("comes in time, though the body of the answer does not end", async () => {
    const { request, failure } = await startReader();
    request.refuse(403, { "x-dormouse-error": "forbidden" }, new ReadableStream());
    await advance(10_000);
    expect(await failure).toMatchObject({ code: "forbidden", status: 403 });
  });

  it("after a second refused token ends the iteration", async () => {
    const { request, requests, outcome } = await startReader({ token: () => "t" });
    request.refuse(401, { "x-dormouse-error": "token_expired" });
    await advance(500);
    requests.at(-1)!.refuse(401, { "x-dormouse-error": "token_expired" });
    expect(await outcome).toEqual({ code: "token_expired" });
    expect(requests).toHaveLength(2);
  });
});

describe("a token function that gives nothing", () => {
  it.each([undefined, "", null])("but %s ends the iteration with no_token", async (given) => {
    const { requests, outcome } = await startReader({ token: () => given as string });
    expect(await outcome).toEqual({ code: "no_token" });
    expect(requests).toHaveLength(0);
  });
});

it("a page of another origin is told that it may not be allowed", async () => {
  vi.stubGlobal("location", { href: "https://app.example/chat", origin: "https://app.example" });
  onTestFinished(() => void vi.unstubAllGlobals());
  const { request, received } = await startReader();
  request.fail(new TypeError("Failed to fetch"));
  await advance();
  expect(received).toMatchObject([
    {
      error: {
        message:
          "Failed to fetch. The network is down, or ALLOWED_ORIGINS of the server does not name https://app.example",
      },
    },
  ]);
});

describe("a room that ends the stream", () => {
  const ended = async (code: number) => {
    const reader = await startReader();
    reader.request.greet().deliver("end", { room: "group:lobby", code, reason: "Because." });
    await advance(500);
    return reader;
  };

  it.each([
    [4401, "expired"],
    [4408, "slow"],
    [4499, "disconnected"],
  ])("by %i is returned to: %s", async (code, name) => {
    const reader = await ended(code);
    expect(reconnectionCodes(reader)).toEqual([name]);
    expect(reader.request.lastEventId).toBe("group%3Alobby=e:10");
  });

  it.each([
    [4500, "gone"],
    [4501, "aborted"],
    [4599, "disconnected"],
  ])("by %i is not: %s", async (code, name) => {
    const { outcome, requests } = await ended(code);
    expect(await outcome).toEqual({ code: name });
    expect(requests).toHaveLength(1);
  });
});
