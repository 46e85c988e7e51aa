// One signed request, verified by the stock library that receivers use.

import { Webhook } from "standardwebhooks";
import { afterEach, describe, expect, it, vi } from "vitest";
import { readWebhooks } from "../../src/webhooks/webhook-config.ts";
import { post, type Message } from "../../src/webhooks/webhook-request.ts";
import { SECRET, URLS } from "./receiver.ts";

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const MESSAGE: Message = {
  id: "first-1",
  type: "application/json",
  body: '{"ünï":"cödé \\u2028"}',
};
const sent: [url: string, init: RequestInit][] = [];

/** Stubs fetch. The promise resolves with the call's arguments. */
function answering(answer: (init: RequestInit) => Promise<Response>): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  sent.length = 0;
  vi.stubGlobal("fetch", async (url: string, init: RequestInit) => {
    sent.push([url, init]);
    resolve();
    return answer(init);
  });
  return promise;
}

const to = (secret = SECRET) => ({
  ...readWebhooks({ WEBHOOK_URL: URLS.events, WEBHOOK_SECRET: secret }).events!,
  timeoutMs: 10_000,
  now: () => Date.now(),
});
const headers = () => sent[0]![1].headers as Record<string, string>;
const status = async (response: Response) => response.status;

describe("a request to a receiver", () => {
  it.each([
    ["in the specification's form", SECRET, new Webhook(SECRET)],
    [
      "that is a text",
      "a-text-of-thirty-two-characters!",
      new Webhook("a-text-of-thirty-two-characters!", { format: "raw" }),
    ],
  ])("is verified by the stock library with a secret %s", async (_, secret, webhook) => {
    void answering(async () => new Response("ok"));
    expect(await post(MESSAGE, to(secret), status)).toBe(200);
    expect(webhook.verify(MESSAGE.body, headers())).toEqual(JSON.parse(MESSAGE.body));
    expect(() => webhook.verify(`${MESSAGE.body} `, headers())).toThrow("No matching signature");
    expect(() => webhook.verify(MESSAGE.body, { ...headers(), "webhook-id": "x" })).toThrow(
      "No matching signature",
    );
  });

  it("is verified with each of several secrets, and with no other", async () => {
    const secrets = [SECRET, "a-text-of-thirty-two-characters!", `whsec_${btoa("x".repeat(24))}`];
    void answering(async () => new Response("ok"));
    await post(MESSAGE, to(secrets.join(" ")), status);
    const [first, second, third] = secrets as [string, string, string];
    for (const webhook of [
      new Webhook(first),
      new Webhook(second, { format: "raw" }),
      new Webhook(third),
    ])
      expect(webhook.verify(MESSAGE.body, headers())).toEqual(JSON.parse(MESSAGE.body));
    const other = new Webhook(`whsec_${btoa("y".repeat(24))}`);
    expect(() => other.verify(MESSAGE.body, headers())).toThrow("No matching signature");
  });

  it("goes to the URL by POST, says what it carries, and follows no redirect", async () => {
    void answering(
      async () => new Response(null, { status: 302, headers: { location: "/other" } }),
    );
    expect(await post(MESSAGE, to(), status)).toBe(302);
    const [[url, { method, body, redirect }]] = sent as [[string, RequestInit]];
    expect([url, method, body, redirect]).toEqual([URLS.events, "POST", MESSAGE.body, "manual"]);
    expect(headers()).toMatchObject({
      "content-type": "application/json",
      "webhook-id": "first-1",
    });
  });

  it("is given up when its time is over, and leaves no timer behind when it is not", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const called = answering(
      ({ signal }) =>
        new Promise((_, reject) =>
          signal!.addEventListener("abort", () => reject(signal!.reason as Error)),
        ),
    );
    const given = post(MESSAGE, to(), status).catch((error: Error) => error.message);
    await called;
    vi.advanceTimersByTime(9_999);
    expect(sent[0]![1].signal!.aborted).toBe(false);
    vi.advanceTimersByTime(1);
    expect(await given).toBe("No answer within 10000 ms.");
    void answering(async () => new Response("ok"));
    await post(MESSAGE, to(), status);
    expect(vi.getTimerCount()).toBe(0);
  });

  it.each<[string, (response: Response) => Promise<number>]>([
    ["is read", status],
    ["is refused", ({ status: code }) => Promise.reject(new Error(`It answered ${code}.`))],
  ])(
    "leaves no body unread where the status %s, and takes no notice of one that breaks",
    async (_, read) => {
      const cancelled: unknown[] = [];
      const body = new ReadableStream({
        cancel(reason) {
          cancelled.push(reason);
          throw new Error("The connection was lost.");
        },
      });
      void answering(async () => new Response(body));
      const outcome = await post(MESSAGE, to(), read).catch(({ message }: Error) => message);
      expect([200, "It answered 200."]).toContain(outcome);
      expect(cancelled).toHaveLength(1);
    },
  );

  it("covers the answer's body, too", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const called = answering(async ({ signal }) => {
      const stalled = new ReadableStream({
        start: (controller) =>
          signal!.addEventListener("abort", () => controller.error(signal!.reason)),
      });
      return new Response(stalled);
    });
    const given = post(MESSAGE, to(), (response) => response.text()).catch((error: Error) => error);
    await called;
    await vi.advanceTimersByTimeAsync(10_000);
    expect(await given).toMatchObject({ message: "No answer within 10000 ms." });
  });
});
