// What callers are told when something fails: ASP.NET Core's words, exactly (docs/design/signalr-wire.md#er1), over
// every transport and protocol.

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Endpoint } from "../../support/endpoint.ts";
import { sharedTestEndpoint } from "../../support/shared-endpoint.ts";
import { fill, messageOf, ROWS, visit, type Guest } from "./connections.ts";
import { FAILING, uploading } from "./failing.ts";

let endpoint: Endpoint;
beforeAll(async () => void (endpoint = await sharedTestEndpoint()));
afterAll(() => endpoint[Symbol.asyncDispose]());

describe.each(ROWS)("$name", (row) => {
  let plain: Guest;
  let detailed: Guest;
  beforeAll(async () => {
    plain = await visit({ endpoint, row, hub: "signalr" });
    detailed = await visit({ endpoint, row, hub: "signalr-detailed" });
    return async () => {
      await plain[Symbol.asyncDispose]();
      await detailed[Symbol.asyncDispose]();
    };
  });

  it.each(FAILING)("$what", async ({ call, error, detail = "" }) => {
    expect([await messageOf(call(plain)), await messageOf(call(detailed))]).toEqual([
      error,
      error + detail,
    ]);
    expect(await plain.invoke("Echo", "alive")).toBe("alive");
  });

  it("an upload of another type, in ASP.NET's words", async () => {
    expect(await messageOf(uploading((subject) => subject.next("five"))(plain))).toBe(
      "An unexpected error occurred invoking 'Sum' on the server. HubException: Failed to bind Stream message.",
    );
  });

  it("delivers the items before an error", async () => {
    const items: unknown[] = [];
    const { promise, resolve } = Promise.withResolvers<string>();
    plain.connection.stream("Breaks", "no more tea").subscribe({
      next: (item) => void items.push(item),
      complete: () => resolve("complete"),
      error: ({ message }: Error) => resolve(message),
    });
    expect([await promise, items]).toEqual([
      "An error occurred on the server while streaming results. HubException: no more tea",
      [1],
    ]);
  });

  it("tells a caller that does not wait nothing of its failures", async () => {
    for (const [method, ...args] of [
      ["Fail", "no tea"],
      ["Nope"],
      ["Add", 1],
      ["Secret"],
      ["Counter", 1, 0],
    ])
      await plain.connection.send(method as string, ...args);
    expect(await plain.invoke("Echo", "alive")).toBe("alive");
  });

  it("answers what a method gives, and null for nothing", async () => {
    const value = { text: "Grüße 👋", list: [1, -2.5, null, true], nested: { empty: {} } };
    expect(await plain.invoke("Echo", value)).toEqual(value);
    expect(await plain.invoke("Add", 1, 2)).toBe(3);
    expect(await plain.invoke("Leave", "nowhere")).toBeNull();
    expect(await plain.items("Counter", 100, 0)).toEqual(
      Array.from({ length: 100 }, (_, i) => i + 1),
    );
    expect(await uploading((subject) => fill(subject, [1, 2, 3.5]))(plain)).toBe(6.5);
  });

  it("lets an admin do what is for admins", async () => {
    const claims = { role: ["User", "Admin"] };
    await using admin = await visit({ endpoint, row, hub: "signalr" }, { user: "ada", claims });
    expect(await admin.invoke("Secret")).toBe("only for admins");
  });
});
