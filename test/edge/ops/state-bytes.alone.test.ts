// The size of the states of a hub's rooms, in `/api/metrics`.

import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { exports } from "cloudflare:workers";
import { afterEach, expect, it, vi } from "vitest";
import { enter, roomAt, token } from "../../rooms/client.ts";

afterEach(() => void vi.useRealTimers());

const HUB = "odd-unlogged";

/** Its report is sent. */
async function report(room: string): Promise<void> {
  vi.setSystemTime(Date.now() + 10_000);
  await runDurableObjectAlarm(roomAt(room));
}

async function measured(): Promise<string | undefined> {
  const authorization = `Bearer ${await token("prometheus", { role: "service" })}`;
  const url = "https://edge.example/api/metrics";
  const text = await (await exports.default.fetch(url, { headers: { authorization } })).text();
  return new RegExp(`^dormouse_state_bytes\\{hub="${HUB}"\\} (\\d+)$`, "m").exec(text)?.[1];
}

it("is the bytes of their JSON, of all rooms, also of those that sleep", async () => {
  vi.useFakeTimers({ toFake: ["Date"] });
  expect(await measured()).toBe("0");
  const notes = ["a", "日".repeat(1_000)];
  for (const note of notes) {
    const room = `${HUB}/group:${crypto.randomUUID()}`;
    using alice = await enter(room);
    await alice.call("$/run", { action: "put", params: ["note", note] });
    await roomAt(room).history({});
    await report(room);
  }
  const sizes = notes.map(
    (note) => new TextEncoder().encode(JSON.stringify({ notes: { note }, count: 0 })).length,
  );
  await expect.poll(measured).toBe(`${sizes[0]! + sizes[1]!}`);
  const name = `${HUB}/group:without`;
  using bob = await enter(name);
  await report(name);
  expect(bob.hello.params.state).toEqual({ notes: {}, count: 0 });
  // What was never changed is not stored.
  expect(await measured()).toBe(`${sizes[0]! + sizes[1]!}`);
  const rows = await runInDurableObject(roomAt(name), (_, { storage }) =>
    storage.sql.exec("SELECT name FROM sqlite_master WHERE name = 'room_state'").toArray(),
  );
  expect(rows).toEqual([]);
});
