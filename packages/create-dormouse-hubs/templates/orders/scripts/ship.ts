// A service: npm run ship -- 42 shipped. It may run anywhere; its key is one of ACCESS_KEYS.

import { loadEnvFile } from "node:process";
import { backend } from "dormouse-hubs/backend";
import type { OrderHub, Status } from "../src/orders.ts";

loadEnvFile(".dev.vars");
const [, , id = "42", status = "shipped"] = process.argv;
const url = process.env["ORDERS_URL"] ?? "http://127.0.0.1:8787/hubs/orders";
const orders = backend<OrderHub>({ url, accessKey: process.env["ACCESS_KEYS"]!.split(",")[0]! });

// Sent again after an error, under one key: it is published once.
await orders
  .with({ idempotencyKey: `${id}-${status}` })
  .clients.order(id)
  .statusChanged(id, status as Status);
console.log(`Order ${id} is ${status}.`);
