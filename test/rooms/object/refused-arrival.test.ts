// An object that fails while a client connects: its log has the reason, once, and no log has the client's sentence.

import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { refusedAnswer } from "../../../src/edge/answer/error-answers.ts";
import { HubError } from "../../../src/model/errors.ts";
import { refusedArrival } from "../../../src/rooms/object/refused-arrival.ts";

let lines: string[];
beforeEach(() => {
  lines = [];
  vi.spyOn(console, "error").mockImplementation((line: string) => void lines.push(line));
});
afterEach(() => void vi.restoreAllMocks());

const refuse = (error: unknown) => {
  const counted: string[] = [];
  const refused = (code: string) => void counted.push(code);
  return { answer: refusedArrival(error, { object: "default/chat/group/x", refused }), counted };
};

it("logs an unexpected error with its stack, and answers `internal`", async () => {
  const { answer, counted } = refuse(new TypeError("no such table"));
  expect([answer.status, answer.headers.get("x-dormouse-error"), counted]).toEqual([
    ...[500, "internal", ["internal"]],
  ]);
  expect(await answer.text()).not.toContain("table");
  expect(lines.map((line) => JSON.parse(line) as object)).toEqual([
    {
      ...{ level: "error", event: "connect_failed", object: "default/chat/group/x" },
      error: expect.stringMatching(/^TypeError: no such table\n/),
    },
  ]);
});

it("logs nothing where it refuses, and says when to come back", () => {
  const { answer, counted } = refuse(new HubError("room_full", "The room is full."));
  expect([answer.status, answer.headers.get("retry-after"), counted, lines]).toEqual([
    ...[503, expect.stringMatching(/^[1-5]$/), ["room_full"], []],
  ]);
});

it.each([
  [2.5, "3"],
  [0, "1"],
  [-1, "1"],
  [Number.NaN, "1"],
  [Infinity, "1"],
])("has whole seconds in its header where hub code asks for %s", (retryAfter, header) => {
  const error = Object.assign(new HubError("rate_limited", "Later."), { retryAfter });
  expect(refuse(error).answer.headers.get("retry-after")).toBe(header);
});

it("is not logged once more by the worker that passes the error on", async () => {
  const sentence = "The server failed; its log has the details.";
  // As an error of an object comes over RPC.
  const passed = Object.assign(new Error(sentence), { name: "HubError", code: "internal" });
  const answer = refusedAnswer(passed);
  expect([answer.status, lines]).toEqual([500, []]);
  refusedAnswer(new TypeError("own"));
  expect(lines).toEqual([expect.stringContaining("TypeError: own")]);
});
