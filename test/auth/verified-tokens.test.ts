// Users of tokens that were verified once: how long that holds, for how many, and for whom.

import { expect, it } from "vitest";
import type { User } from "../../src/model/user.ts";
import { VerifiedTokens } from "../../src/auth/verified-tokens.ts";

const NOW = 1_000_000_000_000;
const user = { id: "alice", roles: ["Admin"], claims: { nested: { a: 1 } } } as unknown as User;
const verified = (until: number) => ({ user, by: undefined, from: NOW, until });

it("remembers a token until it expires, or its keys are to be fetched again", () => {
  const tokens = new VerifiedTokens();
  tokens.add("a.b.c", verified(NOW + 3_600_000));
  const known = [-1, 0, 3_599_999, 3_600_000, 0].map(
    (ms) => tokens.userOf("a.b.c", undefined, NOW + ms)?.id,
  );
  expect(known).toEqual([undefined, "alice", "alice", undefined, undefined]);
  expect(tokens.userOf("a.b.d", undefined, NOW)).toBeUndefined();
});

it("remembers a thousand at most, the newest", () => {
  const tokens = new VerifiedTokens();
  for (let at = 0; at <= 1_000; at++) tokens.add(`a.b.${at}`, verified(NOW + 1));
  const known = [0, 1, 1_000].map((at) => tokens.userOf(`a.b.${at}`, undefined, NOW)?.id);
  expect(known).toEqual([undefined, "alice", "alice"]);
});

it("gives no user whose id another function made", () => {
  const tokens = new VerifiedTokens();
  const by = () => "alice";
  tokens.add("a.b.c", { ...verified(NOW + 1), by });
  expect(tokens.userOf("a.b.c", by, NOW)?.id).toBe("alice");
  expect(tokens.userOf("a.b.c", () => "bob", NOW)).toBeUndefined();
});

it("gives users that no request can change for the next", () => {
  const tokens = new VerifiedTokens();
  tokens.add("a.b.c", verified(NOW + 1));
  const known = tokens.userOf("a.b.c", undefined, NOW)!;
  expect(() => (known.roles as string[]).push("service")).toThrow(TypeError);
  expect(() => Object.assign(known.claims["nested"] as object, { a: 2 })).toThrow(TypeError);
});
