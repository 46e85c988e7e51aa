// Where a token is read from, refusals over HTTP, and the effect of a gap in the configuration.

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { authenticate, Refusal, refusalResponse } from "../../src/auth/authenticate.ts";
import type { AuthEnv, Reason } from "../../src/auth/authenticate.ts";
import { adviceFor } from "../../src/model/error-advice.ts";
import { publicError } from "../../src/model/errors.ts";
import { expectNoTrace, hs256, keyServer, NOW, outcome, SECRET, SECRET_ENV } from "./tokens.ts";

const URL_BASE = "https://hubs.example/hubs/chat";
const at = (query: string, headers: Record<string, string> = {}) =>
  new Request(`${URL_BASE}${query}`, { headers });

const who = (request: Request, env: AuthEnv = SECRET_ENV): Promise<string> =>
  authenticate(request, env, { now: () => NOW }).then(
    ({ id }) => id,
    ({ code }: Refusal) => code,
  );

let alice: string;
let bob: string;
let logged: string[];

beforeEach(async () => {
  [alice, bob] = await Promise.all([hs256(), hs256({ sub: "bob" })]);
  logged = [];
  for (const level of ["log", "info", "warn", "error", "debug"] as const)
    vi.spyOn(console, level).mockImplementation(
      (...line: unknown[]) => void logged.push(String(line)),
    );
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

describe("the token", () => {
  it.each(["Bearer", "bearer", "BEARER", "bEaReR"])(
    "is read after the scheme %s",
    async (scheme) => {
      expect(await who(at("", { authorization: `${scheme} ${alice}` }))).toBe("alice");
    },
  );

  it("is read from access_token in the query", async () => {
    expect(await who(at(`?id=1&access_token=${alice}`))).toBe("alice");
  });

  it("is the header's where both have one", async () => {
    expect(await who(at(`?access_token=${bob}`, { authorization: `Bearer ${alice}` }))).toBe(
      "alice",
    );
    expect(await who(at(`?access_token=${bob}`, { authorization: "Bearer x" }))).toBe(
      "token_malformed",
    );
  });

  it("is the query's where the header has another scheme", async () => {
    expect(await who(at(`?access_token=${bob}`, { authorization: "Basic YTpi" }))).toBe("bob");
  });

  it.each(["", "?access_token", "?access_token=", "?Access_Token=x", "?token=x"])(
    "is missing in %j",
    async (query) => {
      expect(await who(at(query))).toBe("token_missing");
    },
  );

  it.each(["Bearer", "Bearer ", "Basic YTpi", "Token x", "Bearerx"])(
    "is missing in the header %j",
    async (authorization) => {
      expect(await who(at("", { authorization }))).toBe("token_missing");
    },
  );

  it("is refused where the query has two", async () => {
    expect(await who(at(`?access_token=${alice}&access_token=${alice}`))).toBe("token_malformed");
  });

  it("is refused where two headers were joined", async () => {
    const headers = { authorization: `Bearer ${alice}, Bearer ${alice}` };
    expect(await who(at("", headers))).toBe("token_malformed");
  });

  it("is accepted with up to 8,192 characters", async () => {
    const short = await hs256({ info: "" });
    const room = Math.floor(((8_192 - short.length) * 3) / 4);
    expect((await hs256({ info: "i".repeat(room) })).length).toBeGreaterThan(8_188);
    expect(await outcome(await hs256({ info: "i".repeat(room) }), SECRET_ENV)).toBe("accepted");
    expect(await outcome(await hs256({ info: "i".repeat(room + 3) }), SECRET_ENV)).toBe(
      "token_too_large",
    );
  });

  it.each([
    ...[undefined, "JWT", "jwt", "at+jwt", "AT+JWT"],
    ...["application/jwt", "application/at+jwt", "Application/AT+JWT"],
  ])("may be of type %s", async (typ) => {
    expect(await outcome(await hs256({}, { typ }), SECRET_ENV)).toBe("accepted");
  });

  it("may bring keys along, which are not read", async () => {
    const { fetched } = keyServer(() => Response.json({ keys: [] }));
    const header = {
      jwk: { kty: "oct", k: "AA" },
      jku: "https://evil.example",
      x5u: "https://evil.example",
    };
    expect(await outcome(await hs256({}, header), SECRET_ENV)).toBe("accepted");
    expect(fetched).toEqual([]);
  });
});

describe("refusalResponse", () => {
  const challenge = { "www-authenticate": 'Bearer error="invalid_token"' };
  it.each<[Reason, number, object]>([
    ["token_missing", 401, { "www-authenticate": "Bearer" }],
    ["token_expired", 401, challenge],
    ["token_bad_signature", 401, challenge],
    ["forbidden_origin", 403, {}],
    ["misconfigured", 500, {}],
    ["keys_unavailable", 503, { "retry-after": "5" }],
  ])("answers %s with %i, its sentence and advice", async (code, status, headers) => {
    const refusal = new Refusal(code);
    const response = refusalResponse(refusal);
    expect(response.status).toBe(status);
    const { message } = refusal;
    expect(await response.json()).toEqual({ error: { code, message, action: adviceFor(code) } });
    expect(Object.fromEntries(response.headers)).toEqual({
      "cache-control": "no-store",
      "content-type": "application/json",
      "x-dormouse-error": code,
      ...headers,
    });
  });

  it("stays what it is on its way to a caller", () => {
    const refusal = new Refusal("token_expired");
    expect(publicError(refusal)).toBe(refusal);
  });
});

describe("[S9] a refused token", () => {
  it.each<[string, object, object]>([
    ["wrong claims", { aud: "canary-audience" }, {}],
    ["a wrong cap", { caps: [{ channels: ["canary-channel"], match: "regex", allow: [] }] }, {}],
    ["a wrong name", { sub: "canary\u0000canary" }, {}],
    ["a wrong type", {}, { typ: "canary-type" }],
    ["an unknown algorithm", {}, { alg: "canary-algorithm" }],
    ["an unknown extension", {}, { crit: ["canary-extension"] }],
  ])("with %s leaves no trace in logs or errors", async (_, claims, header) => {
    const text = await hs256(claims, header);
    const error = await authenticate(at(`?access_token=${text}`), SECRET_ENV, {
      now: () => NOW,
    }).catch((refusal: Refusal) => refusal);
    expect(error).toBeInstanceOf(Refusal);
    const { message, stack, cause } = error as Refusal;
    const seen = [...logged, message, stack, JSON.stringify(error), String(cause)].join("\n");
    expect(seen).not.toContain("canary");
    expectNoTrace(text, seen);
  });
});

describe("a misconfigured server", () => {
  const URL_SET = { JWT_SECRET: "", JWT_JWKS_URL: "https://issuer.example/jwks" };
  it.each<[string, AuthEnv, string]>([
    ["no key material", { JWT_SECRET: "" }, "JWT_SECRET"],
    ["both key materials", { ...URL_SET, JWT_SECRET: SECRET }, "JWT_JWKS_URL"],
    ["a secret of 31 bytes", { JWT_SECRET: SECRET.slice(1) }, "JWT_SECRET"],
    ["a secret of 31 bytes in 16 characters", { JWT_SECRET: `${"é".repeat(15)}a` }, "JWT_SECRET"],
    ["no issuer", { JWT_ISSUER: "" }, "JWT_ISSUER"],
    ["no audience", { JWT_AUDIENCE: "" }, "JWT_AUDIENCE"],
    [
      "a key URL without https",
      { ...URL_SET, JWT_JWKS_URL: "http://issuer.example/jwks" },
      "JWT_JWKS_URL",
    ],
    [
      "a key URL on a false loopback",
      { ...URL_SET, JWT_JWKS_URL: "http://localhost.evil.example/" },
      "JWT_JWKS_URL",
    ],
    [
      "a key URL of another scheme",
      { ...URL_SET, JWT_JWKS_URL: "data:application/json,{}" },
      "JWT_JWKS_URL",
    ],
    ["a key URL that is none", { ...URL_SET, JWT_JWKS_URL: "/jwks" }, "JWT_JWKS_URL"],
    ["any origin allowed", { ALLOWED_ORIGINS: "*" }, "ALLOWED_ORIGINS"],
  ])("refuses all with %s and logs the variable's name", async (_, changes, variable) => {
    const env = { ...SECRET_ENV, ...changes };
    expect(await who(at("", { authorization: `Bearer ${alice}` }), env)).toBe("misconfigured");
    expect(await who(at(""), env)).toBe("misconfigured");
    expect(logged).toEqual([expect.stringContaining(variable), expect.stringContaining(variable)]);
    for (const value of Object.values(changes).filter((text) => text.length > 1))
      expect(logged.join()).not.toContain(value);
  });

  it.each(["JWT_ISSUER", "JWT_AUDIENCE", "JWT_SECRET"] as const)("lacks %s", async (name) => {
    const { [name]: _, ...env } = SECRET_ENV;
    expect(await who(at(`?access_token=${alice}`), env)).toBe("misconfigured");
    expect(logged).toEqual([expect.stringContaining(name)]);
  });

  it.each(["http://localhost:8080/jwks", "http://127.0.0.1/jwks", "http://[::1]:8080/jwks"])(
    "is not one whose keys are at %s",
    async (JWT_JWKS_URL) => {
      const { JWT_SECRET: _, ...env } = SECRET_ENV;
      keyServer(() => Response.json({ keys: [] }));
      expect(await who(at(`?access_token=${alice}`), { ...env, JWT_JWKS_URL })).toBe(
        "token_algorithm",
      );
    },
  );

  it("accepts a secret of 32 bytes in 16 characters", async () => {
    const env = { ...SECRET_ENV, JWT_SECRET: "é".repeat(16) };
    expect(await who(at(`?access_token=${alice}`), env)).toBe("token_bad_signature");
  });
});

it("reads each environment by its values, though one object changes", async () => {
  const env = { ...SECRET_ENV };
  expect(await who(at(`?access_token=${alice}`), env)).toBe("alice");
  env.JWT_SECRET = "another secret of the tests, 32+ bytes";
  expect(await who(at(`?access_token=${alice}`), env)).toBe("token_bad_signature");
  env.JWT_SECRET = SECRET;
  for (let i = 0; i < 40; i++) await who(at(""), { ...env, JWT_AUDIENCE: `${i}` });
  expect(await who(at(`?access_token=${alice}`), env)).toBe("alice");
});
