// Calls that end before their response: by a signal, or by a time limit.

import { afterEach, describe, expect, it, vi } from "vitest";
import type { Backend } from "../../../src/client/backend/index.ts";
import { endpoint, orders, type OrderHub } from "./endpoint.ts";

const publish = (hub: Backend<OrderHub>) =>
  hub.clients.order("42").orderStatusChanged("42", "shipped");

/** An endpoint that never responds. As with a real `fetch`, a request rejects when its signal is aborted. */
function silent() {
  const signals: AbortSignal[] = [];
  let arrived = Promise.withResolvers<void>();
  return {
    signals,
    /** Resolves when the next attempt has begun. */
    async attempt() {
      await arrived.promise;
      arrived = Promise.withResolvers();
    },
    fetch({ signal }: Request): Promise<Response> {
      signals.push(signal);
      arrived.resolve();
      const { promise, reject } = Promise.withResolvers<Response>();
      signal.addEventListener("abort", () => reject(signal.reason));
      return promise;
    },
  };
}

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

describe("a signal", () => {
  it("ends an attempt", async () => {
    const fake = silent();
    const [controller, reason] = [new AbortController(), new Error("enough")];
    const call = publish(orders(fake).with({ signal: controller.signal }));
    await fake.attempt();
    controller.abort(reason);
    await expect(call).rejects.toMatchObject({ code: "cancelled", cause: reason });
    expect(fake.signals.map(({ aborted }) => aborted)).toEqual([true]);
  });

  it("ends a pause", async () => {
    vi.useFakeTimers();
    const [controller, reason] = [new AbortController(), new Error("enough")];
    const requested = Promise.withResolvers<void>();
    const fetcher = {
      fetch: async () => {
        requested.resolve();
        return new Response(null, { status: 503, headers: { "retry-after": "20" } });
      },
    };
    const call = publish(orders(fetcher).with({ signal: controller.signal }));
    await requested.promise;
    await vi.waitFor(() => expect(vi.getTimerCount()).toBe(1));
    controller.abort(reason);
    await expect(call).rejects.toMatchObject({ code: "cancelled", cause: reason });
    expect(vi.getTimerCount()).toBe(0);
  });

  it("that has come already lets nothing begin", async () => {
    const fake = silent();
    const call = publish(orders(fake).with({ signal: AbortSignal.abort() }));
    await expect(call).rejects.toMatchObject({ code: "cancelled" });
    expect(fake.signals).toEqual([]);
  });
});

describe("time", () => {
  it("ends a call with all its attempts", async () => {
    vi.useFakeTimers();
    const fake = silent();
    const call = publish(orders(fake).with({ timeoutSeconds: 5 }));
    await fake.attempt();
    await Promise.all([
      expect(call).rejects.toMatchObject({ code: "timed_out" }),
      vi.advanceTimersByTimeAsync(5_000),
    ]);
    expect(fake.signals.map(({ aborted }) => aborted)).toEqual([true]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("that ends in a pause tells why the attempt before it failed", async () => {
    vi.useFakeTimers();
    vi.spyOn(Math, "random").mockReturnValue(1);
    const refused = new TypeError("fetch failed");
    const call = publish(orders(endpoint(refused)).with({ timeoutSeconds: 0.2 }));
    await Promise.all([
      expect(call).rejects.toMatchObject({
        code: "timed_out",
        cause: { code: "unreachable", cause: refused },
      }),
      vi.advanceTimersByTimeAsync(200),
    ]);
  });

  it("ends one attempt after ten seconds, and another begins", async () => {
    vi.useFakeTimers();
    vi.spyOn(Math, "random").mockReturnValue(0);
    const fake = silent();
    const call = publish(orders(fake));
    await fake.attempt();
    await vi.advanceTimersByTimeAsync(10_000);
    await vi.waitFor(() => expect(fake.signals.length).toBe(2));
    expect(fake.signals.map(({ aborted }) => aborted)).toEqual([true, false]);
    await Promise.all([
      expect(call).rejects.toMatchObject({ code: "timed_out" }),
      vi.advanceTimersByTimeAsync(20_000),
    ]);
  });

  it("of a question is longer than a client may take to answer, and it is asked once", async () => {
    vi.useFakeTimers();
    const fake = silent();
    const call = orders(fake).clients.connection("c1").invoke.confirm("?");
    await fake.attempt();
    await vi.advanceTimersByTimeAsync(39_000);
    expect(fake.signals.map(({ aborted }) => aborted)).toEqual([false]);
    await Promise.all([
      expect(call).rejects.toMatchObject({ code: "timed_out" }),
      vi.advanceTimersByTimeAsync(1_000),
    ]);
    expect(fake.signals.length).toBe(1);
  });

  it.each([Infinity, 40 * 86_400])(
    "of %d s, more than timers hold, is none at first",
    async (seconds) => {
      const fetch = async () => Response.json({ epoch: "e", offset: 1 });
      const hub = orders({ fetch }).with({ timeoutSeconds: seconds });
      expect(await hub.publish("order:42", "orderStatusChanged", ["42", "shipped"])).toBe("e:1");
    },
  );
});
