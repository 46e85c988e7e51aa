// Feeds: event streams of a room at paths of the application's own.

import { exports } from "cloudflare:workers";
import { expect, it, onTestFinished } from "vitest";
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

it("a feed answers no other verb", async () => {
  const response = await exports.default.fetch("https://edge.example/events/orders", {
    method: "POST",
  });
  expect([response.status, response.headers.get("allow")]).toEqual([405, "GET"]);
});
