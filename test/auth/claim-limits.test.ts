// The claim `limits`: positive integers under known names; anything else refuses the token.

import { expect, it } from "vitest";
import { verifyToken } from "../../src/auth/authenticate.ts";
import { LIMITS } from "../../src/model/options.ts";
import { limitsWithin } from "../../src/rooms/connection/connection-limits.ts";
import { hs256, NOW, outcome, SECRET_ENV } from "./tokens.ts";

const user = async (limits: unknown) =>
  verifyToken(await hs256({ limits }), SECRET_ENV, { now: () => NOW });

it("is read as it stands, and absent where the token says nothing", async () => {
  const limits = {
    callsPerSecond: 5,
    callBurst: 10,
    messageBytes: 1_000,
    groupsPerConnection: 3,
    streamsPerConnection: 1,
  };
  expect((await user(limits)).limits).toEqual(limits);
  expect((await user({})).limits).toEqual({});
  expect(await user(undefined)).not.toHaveProperty("limits");
  expect(await user(null)).not.toHaveProperty("limits");
});

it.for<unknown>([
  5,
  "5",
  [],
  [5],
  { callsPerSecond: 0 },
  { callsPerSecond: -1 },
  { callsPerSecond: 1.5 },
  { callsPerSecond: "5" },
  { callsPerSecond: null },
  { callBurst: 2 ** 53 },
  { messageBytes: {} },
  { queuedBytes: 1 },
  { callspersecond: 1 },
  { constructor: 1 },
])("refuses the token for %j", async (limits) => {
  expect(await outcome(await hs256({ limits }), SECRET_ENV)).toBe("token_claim_invalid");
});

it("refuses a number that is infinite, and a name of every object", async () => {
  for (const text of ['{"callBurst":1e999}', '{"__proto__":1}']) {
    const limits = JSON.parse(text);
    expect(await outcome(await hs256({ limits }), SECRET_ENV)).toBe("token_claim_invalid");
  }
});

it("lowers the server's limits, and raises none", () => {
  const limits = { callsPerSecond: 1, callBurst: 1_000_000 };
  expect(limitsWithin(LIMITS, { limits })).toEqual({ ...LIMITS, callsPerSecond: 1 });
  expect(limitsWithin(LIMITS, {})).toEqual(LIMITS);
});
