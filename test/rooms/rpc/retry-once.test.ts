// Calls to other objects that fail: which are repeated, and with which error they end.

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { HubError } from "../../../src/model/errors.ts";
import { askMany } from "../../../src/rooms/rpc/ask-many.ts";
import { askOnce, callOnce, publishOnce, retryOnce } from "../../../src/rooms/rpc/retry-once.ts";

const ERRORS = {
  reset: Object.assign(new Error("reset"), { retryable: true, durableObjectReset: true }),
  overloaded: Object.assign(new Error("busy"), { overloaded: true }),
  refused: new HubError("forbidden", "Not for this user."),
};

/** The code of the error, and the number of calls. */
async function outcomeOf(
  how: (call: () => Promise<never>) => Promise<unknown>,
  error: keyof typeof ERRORS,
): Promise<[string, number]> {
  let calls = 0;
  const failing = async (): Promise<never> => {
    calls++;
    throw ERRORS[error];
  };
  const { code } = (await how(failing).catch((thrown: unknown) => thrown)) as HubError;
  return [code, calls];
}

beforeEach(() => void vi.spyOn(console, "warn").mockImplementation(() => {}));
afterEach(() => vi.restoreAllMocks());

const askOneOfMany = (call: () => Promise<never>) => askMany(["room"], call);

describe.each([
  ["retryOnce", retryOnce, { reset: "unavailable", overloaded: "unavailable" }, 2],
  ["askMany", askOneOfMany, { reset: "unavailable", overloaded: "unavailable" }, 2],
  ["callOnce", callOnce, { reset: "unavailable", overloaded: "unavailable" }, 1],
  ["askOnce", askOnce, { reset: "interrupted", overloaded: "unavailable" }, 1],
] as const)("%s", (_, how, codes, calls) => {
  it("names a reset", async () => {
    expect(await outcomeOf(how, "reset")).toEqual([codes.reset, calls]);
  });

  it("names an overload, and repeats nothing", async () => {
    expect(await outcomeOf(how, "overloaded")).toEqual([codes.overloaded, 1]);
  });

  it("passes on a refusal", async () => {
    expect(await outcomeOf(how, "refused")).toEqual(["forbidden", 1]);
  });
});

describe("calls to many objects", () => {
  it("reach the others beside one that cannot be reached", async () => {
    const called: string[] = [];
    const answers = askMany(["a", "reset", "b"], async (name) => {
      called.push(name);
      if (name === "reset") throw ERRORS.reset;
    });
    await expect(answers).rejects.toMatchObject({ code: "unavailable" });
    expect(called.toSorted()).toEqual(["a", "b", "reset", "reset"]);
  });

  it("end, each tried twice, where the request may make no more of them", async () => {
    let calls = 0;
    const answers = askMany(
      Array.from({ length: 100 }, (_, n) => `room-${n}`),
      async () => {
        if (++calls > 50) throw new Error("Too many subrequests.");
      },
    );
    await expect(answers).rejects.toMatchObject({ code: "unavailable" });
    expect(calls).toBe(150);
  });
});

/** Of a room that cannot be woken either: how often that was tried. */
async function wakesAfter(error: keyof typeof ERRORS): Promise<number> {
  let background: Promise<unknown> | undefined;
  const info = vi.fn<() => Promise<never>>(async () => {
    throw new Error("gone");
  });
  const room = () => ({ info });
  const waitUntil = (work: Promise<unknown>) => void (background = work);
  const published = publishOnce(
    { topic: { kind: "group", name: "lobby" }, room, waitUntil },
    async () => {
      throw ERRORS[error];
    },
  );
  await expect(published).rejects.toBe(ERRORS[error]);
  await background;
  return info.mock.calls.length;
}

describe("a publication whose call fails", () => {
  it.each([
    ["reset", 1],
    ["overloaded", 0],
    ["refused", 0],
  ] as const)("wakes the room where it was %s: %i times", async (error, times) => {
    expect(await wakesAfter(error)).toBe(times);
  });

  it("names the room in the log if that fails too", async () => {
    await wakesAfter("reset");
    const [line] = vi.mocked(console.warn).mock.calls.flat();
    expect(JSON.parse(String(line))).toMatchObject({
      ...{ event: "room_unreached", room: "group:lobby" },
      error: expect.stringContaining("gone"),
    });
  });
});
