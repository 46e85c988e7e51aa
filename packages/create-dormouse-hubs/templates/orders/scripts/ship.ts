// A service: npm run ship -- 42 shipped. It may run anywhere; its key is one of ACCESS_KEYS.

import { existsSync } from "node:fs";
import { loadEnvFile } from "node:process";
import { backend } from "dormouse-hubs/backend";
import type { OrderHub, Status } from "../src/orders.ts";

if (existsSync(".dev.vars")) loadEnvFile(".dev.vars");
const [accessKey] = process.env["ACCESS_KEYS"]?.split(",") ?? [];
if (!accessKey) throw new Error("ACCESS_KEYS is missing: npm run dev writes it into .dev.vars.");
const [, , id = "42", status = "shipped"] = process.argv;
const url = process.env["ORDERS_URL"] ?? "http://127.0.0.1:8787/hubs/orders";
const orders = backend<OrderHub>({ url, accessKey });

// Sent again after an error, under one key: it is published once.
await orders
  .with({ idempotencyKey: `${id}-${status}` })
  .clients.order(id)
  .statusChanged(id, status as Status);
console.log(`Order ${id} is ${status}.`);
