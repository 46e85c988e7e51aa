// In the engine, what a hub sends is checked where a worker is developed, and nowhere else.

import { env } from "cloudflare:workers";
import { runInDurableObject } from "cloudflare:test";
import { afterEach, expect, it, vi } from "vitest";
import { connected, relayOf } from "../../rooms/relay/client.ts";

afterEach(() => void vi.restoreAllMocks());

async function client(DEVELOPMENT: string) {
  const alice = await connected("declared", { user: "alice" });
  await runInDurableObject(relayOf("declared", alice.id), (relay) => {
    const { host } = relay as unknown as { host: { env: object } };
    host.env = { ...env, DEVELOPMENT };
  });
  return alice;
}

it("a developer's call fails with what was not declared, in words", async () => {
  vi.spyOn(console, "error").mockImplementation(() => {});
  using alice = await client("1");
  expect((await alice.call("NoteWrongly")).error).toContain(
    'declared.noted: Argument 1 "user": Invalid input: expected string, received number',
  );
  expect((await alice.call("AddWrongly")).error).toContain("declared.addWrongly: Result: ");
});

it("a deployed worker sends what hub code gives", async () => {
  using alice = await client("");
  expect((await alice.call("AddWrongly")).result).toBe("one");
  expect((await alice.call("NoteWrongly")).error).toBeUndefined();
});
