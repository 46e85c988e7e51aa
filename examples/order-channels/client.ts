// node client.ts <url> <token of alice> <token of a manager>: alice is away for one status, and misses none.

import { connect } from "dormouse-hubs/client";
import type { OrderHub } from "./hub.ts";

const [, , url = "http://127.0.0.1:8787", alice = "", manager = ""] = process.argv;
const hub = `${url}/hubs/order-channels`;
const staff = connect<OrderHub>(hub, { token: manager });
const statuses: string[] = [];

/** Follows the order until so many statuses are there; gives the position to go on from. */
async function follow(count: number, since?: string): Promise<string> {
  const enough = Promise.withResolvers<void>();
  const order = connect<OrderHub>(hub, {
    room: "order:42",
    token: alice,
    ...(since !== undefined && { since }),
    handlers: {
      statusChanged: (status) => void (statuses.push(status) === count && enough.resolve()),
    },
  });
  await order.ready;
  if (since === undefined) await staff.invoke.setStatus("42", "placed");
  await enough.promise;
  order.close();
  return order.position!;
}

const position = await follow(1);
await staff.invoke.setStatus("42", "paid");
await staff.invoke.setStatus("42", "shipped");
await follow(3, position);
console.log(statuses.join(", "), "·", (await staff.invoke.statuses("42")).at(-1));
staff.close();
