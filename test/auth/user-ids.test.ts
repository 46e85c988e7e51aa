// The user's id by a function of the application (`serve(hubs, { userId })`).

import { describe, expect, it, onTestFinished, vi } from "vitest";
import { verifyToken, type UserIdProvider } from "../../src/auth/authenticate.ts";
import { claims, hs256, NOW, SECRET_ENV } from "./tokens.ts";

const verify = async (userId: UserIdProvider, changes: object = {}, env: object = {}) =>
  verifyToken(await hs256(changes), { ...SECRET_ENV, ...env }, { userId, now: () => NOW });

it("is given all claims but those that are null, and the tenant and roles", async () => {
  const given = vi.fn<UserIdProvider>(() => "someone");
  await verify(given, { email: "a@b.example", gone: null, tid: "acme", role: ["driver"] });
  expect(given.mock.calls).toEqual([
    [
      { ...claims({ email: "a@b.example", tid: "acme", role: ["driver"] }) },
      { tenant: "acme", roles: ["driver"] },
    ],
  ]);
});

it.each<[string, UserIdProvider, object, string]>([
  ["a claim", ({ email }) => `${email as string}`, { email: "a@b.example" }, "a@b.example"],
  ["several", ({ sub }, { tenant }) => `${tenant}|${sub}`, { tid: "acme" }, "acme|alice"],
  ["a number, as a claim may be", () => 42 as unknown as string, {}, "42"],
  ["another normal form", () => "e\u0301", {}, "\u00e9"],
])("is %s", async (_, userId, changes, id) => {
  expect((await verify(userId, changes)).id).toBe(id);
});

it("needs no subject, and counts before the configured claim", async () => {
  const env = { USER_ID_CLAIM: "email" };
  expect((await verify(() => "someone", { sub: undefined }, env)).id).toBe("someone");
});

describe("is refused with one code", () => {
  it.each<[string, () => unknown]>([
    ["nothing", () => undefined],
    ["null", () => null],
    ["an empty text", () => ""],
    ["a text that is no name", () => "a\nb"],
    ["two dots, which no path can hold", () => ".."],
    ["a text that is too long", () => "x".repeat(10_000)],
    ["the account of a network's guests", () => "guests@192.0.2.1"],
    ["a fraction", () => 1.5],
    ["a promise", async () => "alice"],
    ["an object", () => ({ toString: () => "alice" })],
  ])("for %s", async (_, userId) => {
    await expect(verify(userId as UserIdProvider)).rejects.toMatchObject({
      ...{ code: "token_user_id_invalid", status: 401 },
      message: "The server gets no valid user id from this token.",
    });
  });

  it("for an error of the function, which is logged", async () => {
    const error = vi.spyOn(console, "error").mockImplementation(() => {});
    onTestFinished(() => error.mockRestore());
    const broken: UserIdProvider = ({ email }) => (email as string).toLowerCase();
    await expect(verify(broken)).rejects.toMatchObject({ code: "token_user_id_invalid" });
    const [line] = error.mock.calls.map(([text]) => JSON.parse(text as string));
    expect(line).toMatchObject({
      event: "user_id_failed",
      error: expect.stringContaining("TypeError"),
    });
  });
});
