// [R15] A clock may differ by 60 s in either direction, and not by a second more.

import { describe, expect, it } from "vitest";
import { verifyToken } from "../../src/auth/authenticate.ts";
import { hs256, NOW, outcome, SECONDS, SECRET_ENV } from "./tokens.ts";

const OFFSETS = Array.from({ length: 49 }, (_, step) => -120 + 5 * step);
const LONG = SECONDS + 3600;

const lifetimes = {
  exp: {
    reason: "token_expired",
    accepts: (s: number) => s > -60,
    claims: (s: number) => ({ exp: SECONDS + s }),
  },
  nbf: {
    reason: "token_not_yet_valid",
    accepts: (s: number) => s <= 60,
    claims: (s: number) => ({ nbf: SECONDS + s, exp: LONG }),
  },
  iat: {
    reason: "token_not_yet_valid",
    accepts: (s: number) => s <= 60,
    claims: (s: number) => ({ iat: SECONDS + s, exp: LONG }),
  },
};

describe.each(Object.entries(lifetimes))("[R15] %s", (_, { reason, accepts, claims }) => {
  it.each(OFFSETS)("is judged with 60 s of leeway at %i s", async (offset) => {
    const expected = accepts(offset) ? "accepted" : reason;
    expect(await outcome(await hs256(claims(offset)), SECRET_ENV)).toBe(expected);
  });

  it.each([-61, -60, -59, 59, 60, 61])("is judged to the second at %i s", async (offset) => {
    const expected = accepts(offset) ? "accepted" : reason;
    expect(await outcome(await hs256(claims(offset)), SECRET_ENV)).toBe(expected);
    expect(await outcome(await hs256(claims(offset)), SECRET_ENV, NOW + 999)).toBe(expected);
  });
});

describe("[R15] a server whose clock is wrong", () => {
  const short = { iat: SECONDS, nbf: SECONDS, exp: SECONDS + 30 };
  it.each([
    [-90, "token_not_yet_valid"],
    [-61, "token_not_yet_valid"],
    [-60, "accepted"],
    [0, "accepted"],
    [89, "accepted"],
    [90, "token_expired"],
  ])("by %i s answers %s to a token of 30 s", async (offset, expected) => {
    expect(await outcome(await hs256(short), SECRET_ENV, NOW + offset * 1000)).toBe(expected);
  });
});

describe("expiresAt", () => {
  it("is the first moment at which the token is refused", async () => {
    const text = await hs256({ exp: SECONDS + 30 });
    const { expiresAt } = await verifyToken(text, SECRET_ENV, { now: () => NOW });
    expect(expiresAt).toBe(NOW + 90_000);
    expect(await outcome(text, SECRET_ENV, expiresAt - 1)).toBe("accepted");
    expect(await outcome(text, SECRET_ENV, expiresAt)).toBe("token_expired");
  });

  it("is the clock's own time where none is given", async () => {
    const exp = Math.floor(Date.now() / 1000) + 300;
    const user = await verifyToken(await hs256({ iat: undefined, exp }), SECRET_ENV);
    expect(user.expiresAt).toBe((exp + 60) * 1000);
  });
});
