// [S3] Origins of pages that may connect. Only whole origins match, as browsers write them.

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { authenticate } from "../../src/auth/authenticate.ts";
import { readOrigins } from "../../src/auth/auth-config.ts";
import { corsHeaders } from "../../src/edge/answer/cors.ts";
import { hs256, NOW, SECRET_ENV } from "./tokens.ts";

const SERVER = "https://hubs.example";
const ENV = {
  ...SECRET_ENV,
  ALLOWED_ORIGINS: "https://app.example, https://xn--bcher-kva.example,http://localhost:5173",
};

const ACCEPTED = [
  "https://app.example",
  "https://xn--bcher-kva.example",
  "http://localhost:5173",
  SERVER,
];

const REFUSED = [
  "null",
  "",
  "*",
  "undefined",
  "https://",
  "https:",
  "app.example",
  "//app.example",
  "http://app.example",
  "ws://app.example",
  "wss://app.example",
  "ftp://app.example",
  "file://",
  "file:///app.example",
  "HTTPS://app.example",
  "https://APP.example",
  "https://App.Example",
  "https://app.example:443",
  "https://app.example:8443",
  "https://app.example:",
  "https://app.example:80",
  "https://app.example/",
  "https://app.example//",
  "https://app.example/path",
  "https://app.example?x",
  "https://app.example#x",
  "https://app.example.",
  "https://.app.example",
  "https://any-app.example",
  "https://anyapp.example",
  "https://sub.app.example",
  "https://example",
  "https://app.example.evil.example",
  "https://app.exampleevil.com",
  "https://app.example@evil.example",
  "https://evil.example@app.example",
  "https://evil.example/https://app.example",
  "https://evil.example?https://app.example",
  "https://evil.example#https://app.example",
  "https://app.example%2eevil.example",
  "https://app.example%00.evil.example",
  "https://app%2eexample",
  "https://app.example, https://evil.example",
  "https://evil.example, https://app.example",
  "https://app.example https://evil.example",
  "https://app.example,https://app.example",
  "https://app_example",
  "https://appxexample",
  "https://app-example",
  "https://xn--bcher-kva.example:443",
  "https://bcher-kva.example",
  "https://xn--app-example.example",
  "http://localhost",
  "http://localhost:3000",
  "http://localhost:51733",
  "https://localhost:5173",
  "http://127.0.0.1:5173",
  "http://[::1]:5173",
  "http://localhost.evil.example:5173",
  "http://evil.localhost:5173",
  "http://hubs.example",
  "https://hubs.example:8443",
  "https://hubs.example.evil.example",
  "https://evil-hubs.example",
  "chrome-extension://abcdefghijklmnop",
  "capacitor://localhost",
  "data:text/html,x",
  "about:blank",
  "blob:https://app.example/1",
];

const from = (headers: Record<string, string>, url = `${SERVER}/hubs/chat/negotiate`) =>
  new Request(url, { headers });

async function outcome(request: Request, env = ENV): Promise<string> {
  return authenticate(request, env, { now: () => NOW }).then(
    ({ id }) => id,
    ({ code }: { code: string }) => code,
  );
}

const signedIn = async (headers: Record<string, string> = {}, url?: string) =>
  from({ ...headers, authorization: `Bearer ${await hs256()}` }, url);

afterEach(() => vi.restoreAllMocks());

describe("[S3] origins", () => {
  it.each(ACCEPTED)("accepts %j", async (origin) => {
    expect(await outcome(await signedIn({ origin }))).toBe("alice");
  });

  it.each(REFUSED)("refuses %j", async (origin) => {
    expect(await outcome(await signedIn({ origin }))).toBe("forbidden_origin");
  });

  it("accepts a server, which sends none", async () => {
    expect(await outcome(await signedIn())).toBe("alice");
  });

  const fetched = ([mode = "", site = "", dest = ""]: readonly string[]) => {
    const sent = { "sec-fetch-mode": mode, "sec-fetch-site": site, "sec-fetch-dest": dest };
    return Object.fromEntries(Object.entries(sent).filter(([, value]) => value !== ""));
  };

  it.each([
    [["no-cors", "cross-site", "empty"]],
    [["no-cors", "same-site", "image"]],
    [["navigate", "cross-site", "iframe"]],
  ])("refuses what another page sends without one: %j", async (sent) => {
    expect(await outcome(await signedIn(fetched(sent)))).toBe("forbidden_origin");
  });

  it.each([
    [["no-cors", "same-origin", "image"]],
    [["navigate", "same-origin", "iframe"]],
    [["navigate", "cross-site", "document"]],
    [["navigate", "none", "document"]],
    [["cors"]],
  ])("accepts its own page, a visit and Node's fetch, which send none: %j", async (sent) => {
    expect(await outcome(await signedIn(fetched(sent)))).toBe("alice");
  });

  it("refuses before it looks at the token", async () => {
    expect(await outcome(from({ origin: "https://evil.example" }))).toBe("forbidden_origin");
  });

  it("compares its own origin with the port", async () => {
    const url = "http://localhost:8787/hubs/chat";
    const own = await signedIn({ origin: "http://localhost:8787" }, url);
    expect(await outcome(own, { ...SECRET_ENV, ALLOWED_ORIGINS: "" })).toBe("alice");
    const other = await signedIn({ origin: "http://localhost:8788" }, url);
    expect(await outcome(other, { ...SECRET_ENV, ALLOWED_ORIGINS: "" })).toBe("forbidden_origin");
  });
});

describe("origins of apps", () => {
  const APPS = ["capacitor://localhost", "ionic://localhost", "app://main.window", "null"];

  it.each(APPS)("are accepted where they are allowed: %s", async (origin) => {
    const others = APPS.filter((one) => one !== origin);
    const asked = await signedIn({ origin });
    expect(await outcome(asked, { ...ENV, ALLOWED_ORIGINS: origin })).toBe("alice");
    expect(await outcome(asked, { ...ENV, ALLOWED_ORIGINS: others.join() })).toBe(
      "forbidden_origin",
    );
    expect(corsHeaders(asked, readOrigins(origin)!)).toMatchObject({
      "access-control-allow-origin": origin,
    });
  });
});

describe("ALLOWED_ORIGINS", () => {
  let logged: string[];
  beforeEach(() => {
    logged = [];
    vi.spyOn(console, "error").mockImplementation((line: string) => void logged.push(line));
  });

  it.each([
    "*",
    "NULL",
    "capacitor:",
    "capacitor://",
    "capacitor://localhost/",
    "Capacitor://localhost",
    "capacitor://user@localhost",
    "app://*",
    "file://localhost",
    "ws://app.example",
    "https://*",
    "https://*.example",
    "//app.example",
    "app.example",
    "https://app.example/",
    "https://app.example/path",
    "https://app.example:443",
    "https://App.example",
    "https://bücher.example",
    "https://user@app.example",
    "ftp://app.example",
    "https://app.example,",
    "https://app.example,,https://b.example",
    "https://app.example https://b.example",
    "https://app.example,*",
  ])("refuses every request with an entry such as %j", async (ALLOWED_ORIGINS) => {
    expect(await outcome(await signedIn(), { ...ENV, ALLOWED_ORIGINS })).toBe("misconfigured");
    expect(logged).toEqual([expect.stringContaining("ALLOWED_ORIGINS")]);
  });

  it("may be blank", () => {
    expect(readOrigins(" ")).toEqual(new Set());
  });
});

describe("corsHeaders", () => {
  const allowed = new Set(["https://app.example"]);
  it("names an allowed origin, allows credentials, and shows why a request is refused", () => {
    expect(corsHeaders(from({ origin: "https://app.example" }), allowed)).toEqual({
      vary: "Origin",
      "access-control-allow-origin": "https://app.example",
      "access-control-allow-credentials": "true",
      "access-control-expose-headers": "retry-after, x-dormouse-error, x-dormouse-claim",
    });
  });

  it.each([{}, { origin: "null" }, { origin: "https://evil.example" }])(
    "grants nothing to %j",
    (headers) => {
      expect(corsHeaders(from(headers), allowed)).toEqual({ vary: "Origin" });
    },
  );
});
