// Rows of hostile tokens, and the tests that run them: each is refused with its reason, and fetches nothing.

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { claims, hmac, hs256, outcome, SECRET_ENV, token } from "./tokens.ts";

export type Row = readonly [name: string, reason: string, make: () => Promise<string> | string];

export const named = (value: unknown): string => JSON.stringify(value)?.slice(0, 60) ?? "nothing";
export const rows = <T>(
  what: string,
  reason: string,
  values: readonly T[],
  make: (value: T) => Row[2],
) => values.map((value): Row => [`${what} ${named(value)}`, reason, make(value)]);

/** Valid tokens except for one change of the claims, or of the header. */
export const withClaims = (reason: string, ...changes: object[]) =>
  rows("the claims", reason, changes, (change) => () => hs256(change));
export const withHeader = (reason: string, ...changes: object[]) =>
  rows("the header", reason, changes, (change) => () => hs256({}, change));

export const header = { alg: "HS256" };
/** A valid signature over any payload. */
export const raw = (payload: string, head: object | string = header) =>
  token(head, payload, hmac());
export const text = (changes: object = {}) => JSON.stringify(claims(changes));

export type Tables = Readonly<Record<string, readonly Row[]>>;

/** Declares one test per row. */
export function refuseAll(tables: Tables): void {
  let fetched = vi.fn<typeof fetch>();
  beforeEach(() => {
    fetched = vi.fn<typeof fetch>(() =>
      Promise.reject(new Error("nothing is fetched with a secret")),
    );
    vi.stubGlobal("fetch", fetched);
  });
  afterEach(() => vi.unstubAllGlobals());

  describe.each(Object.entries(tables))("[S4] %s", (_, table) => {
    it.each(table)("refuses %s with %s", async (_name, reason, make) => {
      expect(await outcome(await make(), SECRET_ENV)).toBe(reason);
      expect(fetched).not.toHaveBeenCalled();
    });
  });

  it("[S4] accepts the token which all of these were made from", async () => {
    expect(await outcome(await hs256(), SECRET_ENV)).toBe("accepted");
  });
}
