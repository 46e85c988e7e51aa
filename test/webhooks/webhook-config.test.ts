// The environment's settings of webhooks.

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { readWebhooks, webhooksOr, type WebhookEnv } from "../../src/webhooks/webhook-config.ts";
import { SECRET, URLS } from "./receiver.ts";

const ENV: WebhookEnv = { WEBHOOK_URL: URLS.events, WEBHOOK_SECRET: SECRET };
const bytes = (count: number) => new Uint8Array(count).toBase64();

describe("webhooks", () => {
  it("are none where no URL is named, whatever else is", () => {
    expect(readWebhooks({})).toEqual({});
    const empty = { WEBHOOK_URL: "", WEBHOOK_CONNECT_URL: "", WEBHOOK_SECRET: "short" };
    expect(readWebhooks(empty)).toEqual({});
  });

  it.each<[string | undefined, string[]]>([
    [undefined, ["connected", "disconnected", "joined", "left"]],
    ["", ["connected", "disconnected", "joined", "left"]],
    ["message", ["message"]],
    [" joined , left,joined", ["joined", "left"]],
  ])("tell of these where WEBHOOK_EVENTS is %j: %j", (WEBHOOK_EVENTS, kinds) => {
    const { events, connect } = readWebhooks({
      ...ENV,
      ...(WEBHOOK_EVENTS !== undefined && { WEBHOOK_EVENTS }),
    });
    expect([events?.url, [...events!.kinds], connect]).toEqual([URLS.events, kinds, undefined]);
  });

  it("may ask without telling", () => {
    const { WEBHOOK_URL: _, ...rest } = ENV;
    const { events, connect } = readWebhooks({ ...rest, WEBHOOK_CONNECT_URL: URLS.connect });
    expect([events, connect?.url]).toEqual([undefined, URLS.connect]);
  });

  it.each([
    `whsec_${bytes(24)}`,
    `whsec_${bytes(64)}`,
    "a-text-of-thirty-two-characters!",
    "ünïcödé-counts-in-bytes,not-units",
  ])("are signed with %s", (WEBHOOK_SECRET) => {
    expect(readWebhooks({ ...ENV, WEBHOOK_SECRET }).events).toBeDefined();
  });

  it.each(["http://127.0.0.1:9/x", "http://localhost/", "http://[::1]:8/", "https://a.example"])(
    "go to %s",
    (WEBHOOK_URL) => {
      expect(readWebhooks({ ...ENV, WEBHOOK_URL }).events?.url).toBe(new URL(WEBHOOK_URL).href);
    },
  );
});

describe("webhooks that are misconfigured", () => {
  const logged: string[] = [];
  beforeEach(() => {
    logged.length = 0;
    vi.spyOn(console, "error").mockImplementation((text: string) => void logged.push(text));
  });
  afterEach(() => vi.restoreAllMocks());

  const rows: [WebhookEnv, string][] = [
    [{ WEBHOOK_SECRET: "" }, "WEBHOOK_SECRET is missing."],
    [{ WEBHOOK_SECRET: " \n" }, "WEBHOOK_SECRET is missing."],
    [{ WEBHOOK_SECRET: "31-bytes-are-one-byte-too-few.." }, "WEBHOOK_SECRET is under 32 bytes."],
    [
      { WEBHOOK_SECRET: `${SECRET} 31-bytes-are-one-byte-too-few..` },
      "WEBHOOK_SECRET has a secret that is under 32 bytes.",
    ],
    [
      { WEBHOOK_SECRET: `whsec_${bytes(23)}   ${SECRET}` },
      "WEBHOOK_SECRET has a secret that is not whsec_ and 24–64 bytes in base64.",
    ],
    [
      { WEBHOOK_SECRET: `${SECRET},${SECRET}` },
      "WEBHOOK_SECRET is not whsec_ and 24–64 bytes in base64; several secrets have spaces between them, not commas.",
    ],
    [{ WEBHOOK_SECRET: "whsec_%%%" }, "WEBHOOK_SECRET is not whsec_ and 24–64 bytes in base64."],
    [
      { WEBHOOK_SECRET: `whsec_${bytes(23)}` },
      "WEBHOOK_SECRET is not whsec_ and 24–64 bytes in base64.",
    ],
    [
      { WEBHOOK_SECRET: `whsec_${bytes(65)}` },
      "WEBHOOK_SECRET is not whsec_ and 24–64 bytes in base64.",
    ],
    [{ WEBHOOK_URL: "receiver" }, "WEBHOOK_URL is no URL."],
    [{ WEBHOOK_URL: "http://receiver.example" }, "WEBHOOK_URL is not https."],
    [{ WEBHOOK_URL: "file:///etc/passwd" }, "WEBHOOK_URL is not https."],
    [
      { WEBHOOK_URL: "https://me:pw@receiver.example" },
      "WEBHOOK_URL has a user or a password, which is not allowed.",
    ],
    [{ WEBHOOK_CONNECT_URL: "http://10.0.0.1/" }, "WEBHOOK_CONNECT_URL is not https."],
    [
      { WEBHOOK_EVENTS: "connected,constructor" },
      "WEBHOOK_EVENTS has a name other than connected, disconnected, joined, left, message.",
    ],
    [
      { WEBHOOK_EVENTS: "connected," },
      "WEBHOOK_EVENTS has a name other than connected, disconnected, joined, left, message.",
    ],
  ];
  it.each(rows)("%j: %s", (changes, problem) => {
    const env = { ...ENV, ...changes };
    expect(() => readWebhooks(env)).toThrow(expect.objectContaining({ code: "misconfigured" }));
    expect(logged.map((line) => JSON.parse(line))).toEqual([
      { level: "error", event: "webhooks_misconfigured", problem },
    ]);
    expect(webhooksOr({}, env)).toEqual({});
  });
});
