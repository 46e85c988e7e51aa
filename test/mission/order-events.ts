// Server-Sent Events in JavaScript: the updates of all orders.

import type { Snippet } from "./snippet.ts";

export function orderEvents({ url, token, seen }: Snippet) {
  const source = new EventSource(`${url}/events/orders?access_token=${token}`);

  source.addEventListener("order-update", (event) => {
    const order = JSON.parse((event as MessageEvent).data);
    seen("order", order.orderId, order.status);
  });
  source.addEventListener("error", () => seen("error"));
  source.addEventListener("open", () => seen("open"));
  return source;
}
