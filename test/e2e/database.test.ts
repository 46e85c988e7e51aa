// The hub of docs/database.md that keeps accounts in Postgres: through Hyperdrive of `wrangler dev`, to a real Postgres
// in this process (PGlite) that speaks its protocol on a local port.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { PGlite } from "@electric-sql/pglite";
import { PGLiteSocketServer } from "@electric-sql/pglite-socket";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { freePort, startEndpoint, type OwnEndpoint } from "../support/endpoint.ts";
import { connect } from "../../src/client/index.ts";
import type { AnyHub } from "../../src/hub.ts";

const PROJECT = fileURLToPath(new URL("../../", import.meta.url));

const configFor = (database: string): string => `
name = "bank"
main = "${PROJECT}test/support/database/bank-worker.ts"
compatibility_date = "2026-10-01"
compatibility_flags = ["nodejs_compat"]
exports.Room = { type = "durable-object", storage = "sqlite" }
exports.Relay = { type = "durable-object", storage = "sqlite" }
exports.Account = { type = "durable-object", storage = "sqlite" }
durable_objects.bindings = [{ name = "ROOMS", class_name = "Room" }, { name = "RELAYS", class_name = "Relay" }, { name = "ACCOUNTS", class_name = "Account" }]
hyperdrive = [{ binding = "HYPERDRIVE", id = "local", localConnectionString = "${database}" }]
[alias]
"dormouse-hubs/hub" = "${PROJECT}src/hub.ts"
"dormouse-hubs/server" = "${PROJECT}src/server.ts"
`;

const TABLES = `
CREATE TABLE accounts (id TEXT PRIMARY KEY, cents INT);
CREATE TABLE payments (id UUID PRIMARY KEY, payer TEXT, payee TEXT, cents INT);
INSERT INTO accounts VALUES ('alice', 100), ('bob', 0);
`;

let database: PGlite;
let server: PGLiteSocketServer;
let endpoint: OwnEndpoint;
let folder: string;
beforeAll(async () => {
  database = await PGlite.create();
  await database.exec(TABLES);
  const port = await freePort();
  server = new PGLiteSocketServer({ db: database, port, host: "127.0.0.1", maxConnections: 8 });
  await server.start();
  folder = mkdtempSync(join(tmpdir(), "dormouse-bank-"));
  const url = `postgres://postgres:postgres@127.0.0.1:${port}/postgres`;
  writeFileSync(join(folder, "wrangler.toml"), configFor(url));
  endpoint = await startEndpoint({ folder });
});
afterAll(async () => {
  await endpoint[Symbol.asyncDispose]();
  await server.stop();
  await database.close();
  rmSync(folder, { recursive: true, force: true });
});

it("a payment is one transaction of Postgres, and both users are told when it is committed", async () => {
  const told: string[] = [];
  const at = async (user: string) => {
    const connection = connect<AnyHub>(`${endpoint.url}/hubs/bank`, {
      token: await endpoint.token(user),
      handlers: { balance: (cents: unknown) => told.push(`${user} ${cents}`) },
    });
    await connection.ready;
    return connection;
  };
  const [alice, bob] = [await at("alice"), await at("bob")];
  const { pay } = alice.invoke as unknown as { pay(payment: object): Promise<void> };
  const payment = { id: "0f8fad5b-d9cb-469f-a165-70867728950e", to: "bob", cents: 30 };
  await pay(payment);
  await vi.waitUntil(() => told.length === 2);
  expect(told.toSorted()).toEqual(["alice 70", "bob 30"]);
  const larger = { ...payment, id: "7c9e6679-7425-40de-944b-e07fc1f90ae7", cents: 1_000 };
  for (const refused of [larger, { ...larger, to: "nobody", cents: 1 }])
    await expect(pay(refused)).rejects.toMatchObject({ code: "refused" });
  expect(told).toHaveLength(2);
  await pay(payment);
  await vi.waitUntil(() => told.length === 4);
  expect(told.toSorted()).toEqual(["alice 70", "alice 70", "bob 30", "bob 30"]);
  const { rows } = await database.query("SELECT payer, payee, cents FROM payments");
  expect(rows).toEqual([{ payer: "alice", payee: "bob", cents: 30 }]);
  for (const one of [alice, bob]) one.close();
});
