// Fetches of the issuer's keys: how often, for how long, and within which bounds.

import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { keyServer, keySet, NOW, outcome, signed, testKey, type TestKey } from "./tokens.ts";

const SECOND = 1000;
const MINUTE = 60 * SECOND;

let old: TestKey;
let next: TestKey;
let logged: string[];

beforeAll(async () => {
  [old, next] = await Promise.all([testKey("ES256", "old"), testKey("ES256", "next")]);
});
beforeEach(() => {
  logged = [];
  vi.spyOn(console, "error").mockImplementation((line: string) => void logged.push(line));
});
afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
  vi.useRealTimers();
});

const failing = () => new Response("down", { status: 500 });
const long = { exp: NOW / SECOND + 1e6 };

describe("fetching", () => {
  it("asks once for many tokens", async () => {
    const { env, fetched } = keyServer(() => keySet(old));
    const text = await signed(old);
    const outcomes = await Promise.all(Array.from({ length: 50 }, () => outcome(text, env)));
    expect(new Set(outcomes)).toEqual(new Set(["accepted"]));
    expect(fetched).toEqual([env.JWT_JWKS_URL]);
  });

  it("[S4] asks once a minute however many unknown kids come", async () => {
    const { env, fetched } = keyServer(() => keySet(old));
    const kid = async (at: number) =>
      outcome(await signed(next, long, { kid: `${at}` }), env, NOW + at);
    for (let at = 0; at < 3 * MINUTE; at += 2 * SECOND) {
      expect(new Set(await Promise.all([kid(at), kid(at), kid(at)]))).toEqual(
        new Set(["token_unknown_key"]),
      );
    }
    expect(fetched.length).toBe(3);
  });

  it("[S4] asks for a new key once while many tokens of it wait", async () => {
    let keys = [old];
    const { env, fetched } = keyServer(() => keySet(...keys));
    expect(await outcome(await signed(old), env)).toBe("accepted");
    keys = [old, next];
    const text = await signed(next, long);
    const later = Array.from({ length: 20 }, () => outcome(text, env, NOW + MINUTE));
    expect(new Set(await Promise.all(later))).toEqual(new Set(["accepted"]));
    expect(fetched.length).toBe(2);
  });

  it("refuses a removed key once the set is ten minutes old", async () => {
    let keys = [old, next];
    const { env } = keyServer(() => keySet(...keys));
    const text = await signed(old, long);
    expect(await outcome(text, env)).toBe("accepted");
    keys = [next];
    expect(await outcome(text, env, NOW + 10 * MINUTE - 1)).toBe("accepted");
    expect(await outcome(text, env, NOW + 10 * MINUTE)).toBe("token_unknown_key");
  });

  it("follows no redirect and brings nothing of the token along", async () => {
    const inits: RequestInit[] = [];
    const { env } = keyServer((init) => (inits.push(init), keySet(old)));
    expect(await outcome(await signed(old), env)).toBe("accepted");
    expect(
      inits.map(({ redirect, headers, method, body }) => ({ redirect, headers, method, body })),
    ).toEqual([
      { redirect: "manual", headers: { accept: "application/jwk-set+json, application/json" } },
    ]);
  });
});

describe("an issuer that fails", () => {
  const TOO_LONG = JSON.stringify({ keys: [], padding: "p".repeat(64 * 1024) });
  it.each<[string, () => Response]>([
    ["status 500", failing],
    ["status 204", () => new Response(null, { status: 204 })],
    ["status 203", () => Response.json({ keys: [] }, { status: 203 })],
    ["a redirect", () => Response.redirect("https://evil.example/jwks", 302)],
    [
      "a permanent redirect to its own host",
      () => Response.redirect("https://keys-1.example/", 308),
    ],
    ["a page", () => new Response("<html>")],
    ["nothing", () => new Response("")],
    ["no set", () => Response.json([])],
    ["null", () => Response.json(null)],
    ["a set without keys", () => Response.json({})],
    ["keys that are no objects", () => Response.json({ keys: [1] })],
    ["over 64 KiB", () => new Response(TOO_LONG)],
    [
      "no answer",
      () => {
        throw new TypeError("connection refused");
      },
    ],
  ])("answers keys_unavailable after %s, and asks once in five seconds", async (_, answer) => {
    const { env, fetched } = keyServer(answer);
    const text = await signed(old);
    for (const at of [0, 1, 4_999])
      expect(await outcome(text, env, NOW + at)).toBe("keys_unavailable");
    expect(fetched).toEqual([env.JWT_JWKS_URL]);
    expect(await outcome(text, env, NOW + 5_000)).toBe("keys_unavailable");
    expect(fetched.length).toBe(2);
    expect(logged.every((line) => line.includes("JWT_JWKS_URL"))).toBe(true);
    expect(logged.length).toBe(2);
  });

  it("reads no further than 64 KiB", async () => {
    let chunks = 0;
    const endless = () =>
      new ReadableStream({ pull: (to) => (chunks++, to.enqueue(new Uint8Array(16 * 1024))) });
    const { env } = keyServer(() => new Response(endless()));
    expect(await outcome(await signed(old), env)).toBe("keys_unavailable");
    expect(chunks).toBeLessThan(8);
  });

  it.each<[string, () => Promise<Response>]>([
    ["an answer", () => new Promise(() => {})],
    ["the end of an answer", async () => new Response(new ReadableStream())],
  ])("waits three seconds for %s", async (_, answer) => {
    const signals: AbortSignal[] = [];
    const { env } = keyServer((init) => (signals.push(init.signal!), answer()));
    const text = await signed(old);
    vi.useFakeTimers();
    const waiting = Promise.all([outcome(text, env), outcome(text, env, NOW + 1)]);
    await vi.advanceTimersByTimeAsync(2_999);
    expect(signals.map(({ aborted }) => aborted)).toEqual([false]);
    await vi.advanceTimersByTimeAsync(1);
    expect(await waiting).toEqual(["keys_unavailable", "keys_unavailable"]);
    expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("is waited for three seconds where the request that asked is gone, and then not at all", async () => {
    const { env, fetched } = keyServer(() => new Promise(() => {}));
    const text = await signed(old);
    vi.useFakeTimers();
    // On Workers neither the fetch nor the timer of a cancelled request ever settles.
    vi.spyOn(globalThis, "setTimeout").mockReturnValueOnce(0 as never);
    void outcome(text, env);
    await vi.advanceTimersByTimeAsync(0);
    const outcomes: string[] = [];
    void outcome(text, env, NOW + 1).then((one) => outcomes.push(one));
    await vi.advanceTimersByTimeAsync(2_999);
    expect(outcomes).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(outcomes).toEqual(["keys_unavailable"]);
    void outcome(text, env, NOW + 3_001).then((one) => outcomes.push(one));
    await vi.advanceTimersByTimeAsync(0);
    expect(outcomes).toEqual(["keys_unavailable", "keys_unavailable"]);
    expect([vi.getTimerCount(), fetched.length]).toEqual([0, 1]);
  });

  it("keeps its last keys for a day, asks once a minute, and accepts no others meanwhile", async () => {
    let isUp = true;
    const { env, fetched } = keyServer(() => (isUp ? keySet(old) : failing()));
    const [known, unknown] = await Promise.all([signed(old, long), signed(next, long)]);
    expect(await outcome(known, env)).toBe("accepted");
    isUp = false;
    const outage = [
      10 * MINUTE,
      10 * MINUTE + 1,
      11 * MINUTE - 1,
      11 * MINUTE,
      24 * 60 * MINUTE - 1,
    ];
    for (const at of outage) expect(await outcome(known, env, NOW + at)).toBe("accepted");
    expect(fetched.length).toBe(4);
    expect(await outcome(unknown, env, NOW + 24 * 60 * MINUTE - 1)).toBe("token_unknown_key");
    expect(await outcome(known, env, NOW + 24 * 60 * MINUTE)).toBe("keys_unavailable");
  });

  it("is asked again after it came back", async () => {
    let isUp = false;
    const { env } = keyServer(() => (isUp ? keySet(old) : failing()));
    const text = await signed(old);
    expect(await outcome(text, env)).toBe("keys_unavailable");
    isUp = true;
    expect(await outcome(text, env, NOW + 4_999)).toBe("keys_unavailable");
    expect(await outcome(text, env, NOW + 5_000)).toBe("accepted");
  });
});
