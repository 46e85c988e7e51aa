// The example of a service: the rooms that it publishes in, and that a repeated call publishes the same.

import { describe, expect, it } from "vitest";
import { OrderService, type Orders } from "../../../demo/order-service.ts";
import { backend } from "../../../src/client/backend/index.ts";
import type { OrderHub } from "../../../src/hubs/orders.ts";
import { API, endpoint, refusal, URL_OF_HUB, type Answer } from "./endpoint.ts";

const AT = { epoch: "e1", offset: 1 };
const BODY = {
  ...{ target: "orderStatusChanged", arguments: ["42", "shipped"] },
  idempotency_key: "42/shipped",
};

function service(...answers: Answer[]) {
  const fake = endpoint(...answers);
  const orders: Orders = {
    async setStatus(orderId, status) {
      if (orderId !== "42") throw new Error("No such order.");
      return { buyer: "bob", change: `${orderId}/${status}` };
    },
  };
  const hub = backend<OrderHub>({ url: URL_OF_HUB, token: "t", fetcher: fake });
  return { requests: fake.requests, service: new OrderService(orders, hub) };
}

describe("the order service", () => {
  it("tells the order's room, and the buyer", async () => {
    const { requests, service: orders } = service(AT);
    await orders.updateOrderStatus("42", "shipped");
    expect(requests.map(({ method, url, body }) => [method, url, body])).toEqual([
      ["POST", `${API}/rooms/order%3A42/:publish`, BODY],
      ["POST", `${API}/rooms/user%3Abob/:publish`, BODY],
    ]);
  });

  it("fails where one of them was not told, and says the same when it is called again", async () => {
    const { requests, service: orders } = service(AT, refusal(403, "forbidden"), AT);
    await expect(orders.updateOrderStatus("42", "shipped")).rejects.toMatchObject({
      code: "forbidden",
    });
    await orders.updateOrderStatus("42", "shipped");
    expect(requests.map(({ body }) => body)).toEqual([BODY, BODY, BODY, BODY]);
  });

  it("says nothing of an order that there is not", async () => {
    const { requests, service: orders } = service(AT);
    await expect(orders.updateOrderStatus("43", "shipped")).rejects.toThrow("No such order.");
    expect(requests).toEqual([]);
  });
});
