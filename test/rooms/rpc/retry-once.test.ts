// Calls to other objects that fail: which are repeated, and with which error they end.

import { describe, expect, it } from "vitest";
import { HubError } from "../../../src/model/errors.ts";
import { askOnce, callOnce, retryOnce } from "../../../src/rooms/rpc/retry-once.ts";

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

describe.each([
  ["retryOnce", retryOnce, { reset: "unavailable", overloaded: "unavailable" }, 2],
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
