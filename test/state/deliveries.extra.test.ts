// The hub of docs/state.md whose state is in D1: loaded on the first use of a room, saved behind its changes.

import { runDurableObjectAlarm } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeAll, expect, it, onTestFinished, vi } from "vitest";
import { enter, roomAt, type Client } from "../rooms/client.ts";

beforeAll(async () => {
  await env.DB.exec(
    "CREATE TABLE deliveries (id TEXT PRIMARY KEY, json TEXT, epoch TEXT, position INTEGER)",
  );
});

const store = (id: string, state: object) =>
  env.DB.prepare("INSERT INTO deliveries VALUES (?, ?, 'e', 0)")
    .bind(id, JSON.stringify(state))
    .run();
const stored = async (id: string): Promise<unknown> => {
  const select = env.DB.prepare("SELECT json FROM deliveries WHERE id = ?").bind(id);
  const row = await select.first<{ json: string }>();
  return row && (JSON.parse(row.json) as unknown);
};

async function enterDelivery(id: string, role = "Manager"): Promise<Client> {
  const client = await enter(`deliveries/order:${id}`, { claims: { role } });
  onTestFinished(() => client[Symbol.dispose]());
  return client;
}

const codeOf = async (called: ReturnType<Client["call"]>) => (await called).error?.data.code;

it("is loaded from the database before anything else, and its changes are saved there", async () => {
  await store("42", { buyer: "bob", status: "paid" });
  const client = await enterDelivery("42");
  expect(client.hello.params.state).toEqual({ buyer: "bob", status: "paid" });
  await client.call("ship", ["DHL"]);
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 2_000 });
  onTestFinished(() => void vi.useRealTimers());
  await runDurableObjectAlarm(roomAt("deliveries/order:42"));
  const shipped = { buyer: "bob", status: "shipped", carrier: "DHL" };
  await expect.poll(() => stored("42")).toEqual(shipped);
});

it("begins as new where the database has none, and takes no step that is none", async () => {
  const client = await enterDelivery("43");
  expect(client.hello.params.state).toEqual({ buyer: "", status: "placed" });
  expect(await codeOf(client.call("ship", ["DHL"]))).toBe("wrong_status");
  const guest = await enterDelivery("43", "Guest");
  expect(await codeOf(guest.call("ship", ["DHL"]))).toBe("forbidden");
  expect(await codeOf(guest.call("cancel"))).toBeUndefined();
  expect(await codeOf(client.call("cancel"))).toBe("wrong_status");
});
