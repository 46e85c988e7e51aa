// The endpoint inside an application of its own: stock clients find it below the application's path, and bring back the
// cookie that the application sets when they negotiate.

import { HttpTransportType, HubConnectionBuilder, LogLevel } from "@microsoft/signalr";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { OwnEndpoint } from "../../support/endpoint.ts";
import { startEngine } from "../../support/engine.ts";

interface Seen {
  readonly method: string;
  readonly path: string;
  readonly cookie?: string;
}

let endpoint: OwnEndpoint;
beforeAll(async () => {
  endpoint = await startEngine({ worker: "mounted-worker.ts" });
});
afterAll(() => endpoint[Symbol.asyncDispose]());

const seen = async (): Promise<Seen[]> =>
  (await (await fetch(`${endpoint.url}/seen`)).json()) as Seen[];

it.each([
  ["WebSockets", HttpTransportType.WebSockets, ""],
  ["ServerSentEvents", HttpTransportType.ServerSentEvents, ""],
  ["LongPolling", HttpTransportType.LongPolling, ""],
  ["LongPolling, with a slash at the end", HttpTransportType.LongPolling, "/"],
])("over %s every request after the negotiation has the cookie", async (_, transport, slash) => {
  const connection = new HubConnectionBuilder()
    .withUrl(`${endpoint.url}/realtime/hubs/signalr${slash}`, {
      transport,
      accessTokenFactory: () => endpoint.token("alice"),
    })
    .configureLogging(LogLevel.None)
    .build();
  await connection.start();
  try {
    expect(await connection.invoke("Echo", "there and back")).toBe("there and back");
  } finally {
    await connection.stop();
  }
  const [negotiate, ...others] = await seen();
  expect(negotiate).toEqual({ method: "POST", path: "/realtime/hubs/signalr/negotiate" });
  expect(others.length).toBeGreaterThan(0);
  for (const { path, cookie } of others)
    expect([path, cookie]).toEqual([`/realtime/hubs/signalr${slash}`, "a1"]);
});
