// Feeds: event streams of a room at paths of the application's own.

import { exports } from "cloudflare:workers";
import { expect, it, onTestFinished, vi } from "vitest";
import { roomAt, token } from "../../rooms/client.ts";

/** Reads the feed's events as text, as they come. */
async function read(path: string, headers: Record<string, string> = {}) {
  const response = await exports.default.fetch(`https://edge.example${path}`, { headers });
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  onTestFinished(() => reader.cancel().catch(() => {}));
  let text = "";
  /** The fields of the next event with this name. */
  const next = async (name: string): Promise<Record<string, string>> => {
    for (;;) {
      const [block, ...rest] = text.split("\n\n");
      if (rest.length === 0) {
        text += (await reader.read()).value;
        continue;
      }
      text = rest.join("\n\n");
      const fields = Object.fromEntries(
        block!.split("\n").map((line) => line.split(/: (?<value>.*)/s)),
      ) as Record<string, string>;
      if (fields["event"] === name) return fields;
    }
  };
  return { response, next };
}

const statusAt = async (path: string, headers: Record<string, string>): Promise<number> =>
  (await exports.default.fetch(`https://edge.example${path}`, { headers })).status;

const publish = (room: string, target: string, ...args: unknown[]) =>
  roomAt(room).publish({ target, params: JSON.stringify(args) });

it("a feed has the hub's names and data, and resumes after the last event's id", async () => {
  const bearer = { authorization: `Bearer ${await token("alice")}` };
  const feed = await read("/events/orders", bearer);
  expect(feed.response.headers.get("content-type")).toContain("text/event-stream");
  await feed.next("connected");
  await publish("orders/group:updates", "somethingElse", 1);
  const order = { orderId: "42", status: "shipped" };
  await publish("orders/group:updates", "orderUpdated", order);
  const { id, data } = await feed.next("order-update");
  expect(JSON.parse(data!)).toEqual(order);
  await publish("orders/group:updates", "orderUpdated", { ...order, status: "paid" });
  for (const again of [
    await read("/events/orders", { ...bearer, "last-event-id": id! }),
    await read(`/events/orders?lastEventId=${id}`, bearer),
  ])
    expect(JSON.parse((await again.next("order-update"))["data"]!)).toMatchObject({
      status: "paid",
    });
});

it("a feed's path may name the room, and several arguments are an array", async () => {
  const feed = await read(`/updates/42?access_token=${await token("alice")}`);
  await feed.next("connected");
  await publish("orders/order:42", "orderStatusChanged", "42", "shipped");
  expect(JSON.parse((await feed.next("orderStatusChanged"))["data"]!)).toEqual(["42", "shipped"]);
});

it("a feed needs a token unless its hub admits guests", async () => {
  const refused = await exports.default.fetch("https://edge.example/events/orders");
  expect([refused.status, refused.headers.get("x-dormouse-error")]).toEqual([401, "token_missing"]);
  const feed = await read("/guests/street");
  await feed.next("connected");
  await publish("guests/group:street", "said", "hello");
  expect(JSON.parse((await feed.next("heard"))["data"]!)).toBe("hello");
});

it.each([
  ["/guests/%E9", 400, "invalid_name"],
  ["/guests/a%25%", 400, "invalid_name"],
  ["/parity/orders/1", 404, "not_found"],
  ["/parity/agroup/1", 404, "not_found"],
  ["/parity/group/order/1", 404, "not_found"],
  ["/parity/of/abc", 404, "not_found"],
  ["/parity/of/1x", 404, "not_found"],
])("a feed has no other paths than its own: %s", async (path, status, code) => {
  const headers = { authorization: `Bearer ${await token("alice")}` };
  const refused = await exports.default.fetch(`https://edge.example${path}`, { headers });
  expect([refused.status, refused.headers.get("x-dormouse-error")]).toEqual([status, code]);
});

it.each(["ab", "ab/", "123"])("a pattern in a feed's path may have braces: %s", async (name) => {
  const headers = { authorization: `Bearer ${await token("alice")}` };
  const feed = await read(`/parity/of/${name}`, headers);
  expect(feed.response.status).toBe(200);
  await feed.next("connected");
});

it("a feed answers no other verb", async () => {
  const response = await exports.default.fetch("https://edge.example/events/orders", {
    method: "POST",
  });
  expect([response.status, response.headers.get("allow")]).toEqual([405, "GET, HEAD"]);
});

it("a feed whose data cannot be made leaves the event out, and goes on", async () => {
  const logged = vi.spyOn(console, "error").mockImplementation(() => {});
  onTestFinished(() => logged.mockRestore());
  const feed = await read("/guests/of/poisoned");
  const { id } = await feed.next("connected");
  for (const text of ["bad", "endless", "good"])
    await publish("guests/group:poisoned", "said", text);
  expect((await feed.next("length"))["data"]).toBe("4");
  const again = await read("/guests/of/poisoned", { "last-event-id": id! });
  expect((await again.next("length"))["data"]).toBe("4");
  const lines = logged.mock.calls.map(([line]) => line as string);
  expect(lines.filter((line) => line.includes("event_failed")).length).toBeGreaterThanOrEqual(2);
});

it("a feed of a room that its reader may not enter is refused, whatever its path says", async () => {
  const bearer = { authorization: `Bearer ${await token("alice", { tid: "acme" })}` };
  for (const name of ["all", "user:bob", "..%2Forder:42"])
    expect(await statusAt(`/any/${encodeURIComponent(name)}`, bearer)).toBeGreaterThanOrEqual(400);
  const feed = await read("/events/orders", bearer);
  await feed.next("connected");
  await publish("orders/group:updates", "orderUpdated", { orderId: "of another tenant" });
  await roomAt("orders/group:updates", "acme").publish({
    ...{ target: "orderUpdated", params: JSON.stringify([{ orderId: "of acme" }]) },
  });
  expect(JSON.parse((await feed.next("order-update"))["data"]!)).toEqual({ orderId: "of acme" });
});
