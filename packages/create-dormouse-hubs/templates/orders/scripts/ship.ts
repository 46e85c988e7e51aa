// A service: npm run ship -- 42 shipped. It may run anywhere; its key is one of ACCESS_KEYS.

import { existsSync } from "node:fs";
import { loadEnvFile } from "node:process";
import { backend } from "dormouse-hubs/backend";
import { Status, type OrderHub } from "../src/orders.ts";

if (existsSync(".dev.vars")) loadEnvFile(".dev.vars");
const [accessKey] = process.env["ACCESS_KEYS"]?.split(",") ?? [];
if (!accessKey) throw new Error("ACCESS_KEYS is missing: npm run dev writes it into .dev.vars.");
const [, , id = "42", text = "shipped"] = process.argv;
// The hub does not validate what a service publishes.
const status = Status.parse(text);
const url = process.env["ORDERS_URL"] ?? "http://127.0.0.1:8787/hubs/orders";
const orders = backend<OrderHub>({ url, accessKey });

// The id of the change, as your database has it: a job that runs twice publishes it once.
const change = crypto.randomUUID();
await orders.with({ idempotencyKey: change }).clients.order(id).statusChanged(id, status);
console.log(`Order ${id} is ${status}.`);
