// Guests over SignalR: stock clients without a token, on every transport, at a hub that admits them.

import { beforeAll, expect, it } from "vitest";
import { LogLevel } from "@microsoft/signalr";
import type { Endpoint } from "../../support/endpoint.ts";
import { sharedTestEndpoint } from "../../support/shared-endpoint.ts";
import { build, ROWS } from "./rows.ts";

let endpoint: Endpoint;
beforeAll(async () => void (endpoint = await sharedTestEndpoint()));

it.each(ROWS)("a client without a token is one guest, with $name", async (row) => {
  const url = `${endpoint.url}/hubs/guests`;
  const connection = build(row, { url, token: () => "", logging: LogLevel.Error });
  const said = new Promise((resolve) => connection.on("Said", resolve));
  await connection.start();
  const id: unknown = expect.stringMatching(/^guest-[\w-]{22}$/);
  // MessagePack names members in PascalCase.
  const guest = row.protocol === "JSON" ? { id, guest: true } : { Id: id, Guest: true };
  const first: unknown = await connection.invoke("Whoami");
  expect(first).toEqual(guest);
  expect(await connection.invoke("Whoami")).toEqual(first);
  const room = `row ${row.name}`;
  await connection.invoke("Join", room);
  await connection.invoke("Say", room, "hello");
  expect(await said).toBe("hello");
  await connection.stop();
});
