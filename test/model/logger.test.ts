// Log lines: always a single line, whatever names and errors contain.

import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { logError, logInfo, logWarning } from "../../src/model/logger.ts";

let lines: [level: string, line: string][];
beforeEach(() => {
  lines = [];
  for (const level of ["info", "warn", "error"] as const)
    vi.spyOn(console, level).mockImplementation((line: string) => void lines.push([level, line]));
});
afterEach(() => void vi.restoreAllMocks());

const only = (): string => lines[0]![1];

it("says an event and its fields in JSON, each level where it belongs", () => {
  logInfo("connection_opened", { hub: "chat", code: 1000, asleep: false });
  logWarning("refused", {});
  logError("misconfigured");
  expect(lines).toEqual([
    [
      "info",
      '{"level":"info","event":"connection_opened","hub":"chat","code":1000,"asleep":false}',
    ],
    ["warn", '{"level":"warn","event":"refused"}'],
    ["error", '{"level":"error","event":"misconfigured"}'],
  ]);
});

it.each([
  "two\nlines",
  'quoted "and" \\ slashed',
  "\u001b[31mred",
  "c1 \u0085 \u009b",
  "unicode's \u2028 and \u2029",
  "turned \u202e round \u2066",
  "lone \ud800",
  "__proto__",
])("keeps the name %j on its line, and visible", (room) => {
  logInfo("seen", { room });
  expect(JSON.parse(only())).toEqual({ level: "info", event: "seen", room });
  expect(only()).toMatch(/^[^\p{Cc}\p{Zl}\p{Zp}\p{Cf}\p{Cs}]*$/u);
});

it("cuts what is too long", () => {
  logInfo("seen", { room: "x".repeat(5_000) });
  expect(JSON.parse(only()).room).toHaveLength(1_000);
});

it("keeps an error's stack, and what was behind it, on the line", () => {
  const cause = new TypeError("deep");
  logError("call_failed", { method: "chat.say", error: new Error("shallow", { cause }) });
  const { error, ...rest } = JSON.parse(only());
  expect(rest).toEqual({ level: "error", event: "call_failed", method: "chat.say" });
  expect(error).toMatch(/^Error: shallow\n.+ at .+Caused by: TypeError: deep\n/s);
  expect(only()).not.toContain("\n");
});

it.each([["text"], [null], [42], [{ toString: () => "an object" }]])(
  "takes %j where an error should be",
  (error) => {
    logError("call_failed", { error });
    expect(JSON.parse(only()).error).toBe(String(error));
  },
);
