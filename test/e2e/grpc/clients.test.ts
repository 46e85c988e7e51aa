// The four patterns against the live endpoint: generated clients in Node, `curl`, and connect-web in Chromium.

import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { fromJson, toJson } from "@bufbuild/protobuf";
import { ValueSchema } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createGrpcTransport, createConnectTransport } from "@connectrpc/connect-node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { SessionRequestSchema } from "../../../src/protocols/proto/dormouse/v1/hub_pb.ts";
import {
  Health,
  HealthCheckResponse_ServingStatus as Status,
} from "../../../src/protocols/proto/grpc/health/v1/health_pb.ts";
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { Page } from "../../pages/grpc.ts";
import { launchBrowser } from "../../support/browser.ts";
import type { Endpoint } from "../../support/endpoint.ts";
import { startTestEndpoint } from "../../support/test-endpoint.ts";
import { startSite, type Site } from "../site.ts";
import { argumentsIn, as, clientAt, list, PROTOCOLS, SERVICE } from "./clients.ts";

let endpoint: Endpoint;
let site: Site;
beforeAll(async () => {
  site = await startSite(join(import.meta.dirname, "../../pages/grpc.ts"));
  endpoint = await startTestEndpoint({ vars: { ALLOWED_ORIGINS: site.origin } });
});
afterAll(async () => {
  site[Symbol.dispose]();
  await endpoint[Symbol.asyncDispose]();
});

const said = (topic: string, text: string) => ({
  ...{ hub: "stock", topic, target: "said", arguments: list(text) },
});

describe.each(PROTOCOLS)("a generated client by %s in Node", (protocol) => {
  const client = () => clientAt(endpoint.url, protocol);
  const room = (name: string) => `group:${name}-${protocol.replaceAll(" ", "-")}`;

  it("calls a method, and is told by code what fails", async () => {
    const request = { hub: "stock", method: "add", arguments: list(2, 3) };
    const { result } = await client().invoke(request, await as(endpoint, "alice"));
    expect(toJson(ValueSchema, result!)).toBe(5);
    const secret = client().invoke({ hub: "stock", method: "secret" }, await as(endpoint, "a"));
    expect(await codeOf(secret)).toBe(Code.PermissionDenied);
    expect(await codeOf(client().invoke(request))).toBe(Code.Unauthenticated);
  });

  it("listens to what it publishes and uploads", async () => {
    const topic = room("heard");
    const abort = new AbortController();
    const options = await as(endpoint, "s", SERVICE);
    const request = { hub: "stock", topics: [{ topic }] };
    const heard: unknown[] = [];
    let accepted = 0;
    async function* uploaded() {
      for (let n = 0; n < 30; n++)
        yield { kind: { case: "publish", value: said(topic, `${n}`) } as const };
    }
    const { signal } = abort;
    for await (const { kind } of client().subscribe(request, { ...options, signal })) {
      if (kind.case === "standing") {
        await client().publish(said(topic, "first"), options);
        ({ accepted } = await client().upload(uploaded(), options));
      }
      if (kind.case === "event") heard.push(...(argumentsIn(kind.value) as unknown[]));
      if (heard.length === 31) break;
    }
    expect(accepted).toBe(30);
    expect(heard).toEqual(["first", ...Array.from({ length: 30 }, (_, n) => `${n}`)]);
  });

  it("sends a method what it reads as a stream", async () => {
    async function* numbers(method: string) {
      yield { kind: { case: "invoke", value: { hub: "signalr", method } } } as const;
      for (let n = 1; n <= 500; n++)
        yield { kind: { case: "item", value: fromJson(ValueSchema, n) } } as const;
    }
    const options = await as(endpoint, "alice");
    const { result } = await client().upload(numbers("sum"), options);
    expect(toJson(ValueSchema, result!)).toBe(125_250);
    // It is answered while it is still said.
    expect(await codeOf(client().upload(numbers("none"), options))).toBe(Code.NotFound);
  });

  it("has a session, or is told at once that it cannot", async () => {
    const outcome = await talked(room("talked"));
    expect(outcome).toEqual(
      protocol === "gRPC-Web" ? Code.Unimplemented : ["joined", "published", "said"],
    );
  });

  async function talked(topic: string): Promise<unknown> {
    const ready = Promise.withResolvers<string>();
    const over = Promise.withResolvers<void>();
    async function* requests(): AsyncGenerator<MessageInitShape<typeof SessionRequestSchema>> {
      yield { kind: { case: "hello", value: { hub: "stock" } } };
      yield { kind: { case: "confirm", value: await ready.promise } };
      yield { id: 1, kind: { case: "join", value: { topic } } };
      yield { id: 2, kind: { case: "publish", value: said(topic, "hi") } };
      await over.promise;
    }
    const outcome: unknown[] = [];
    try {
      const stream = client().session(requests(), await as(endpoint, "s", SERVICE));
      for await (const { kind } of stream) {
        if (kind.case === "ready") ready.resolve(kind.value.confirm);
        if (kind.case === "answer") outcome.push(kind.value.outcome.case);
        if (kind.case === "event") outcome.push(kind.value.target);
        if (outcome.length === 3) over.resolve();
      }
      return outcome.toSorted();
    } catch (error) {
      return ConnectError.from(error).code;
    } finally {
      ready.resolve("");
      over.resolve();
    }
  }
});

async function codeOf(work: Promise<unknown>): Promise<Code | undefined> {
  return work.then(
    () => undefined,
    (error: unknown) => ConnectError.from(error).code,
  );
}

it("answers health checks", async () => {
  const transport = createConnectTransport({ baseUrl: endpoint.url, httpVersion: "1.1" });
  const { status } = await createClient(Health, transport).check({});
  expect(status).toBe(Status.SERVING);
});

it("is no native gRPC server: wrangler's listener speaks no HTTP/2 without TLS", async () => {
  const client = createClient(Health, createGrpcTransport({ baseUrl: endpoint.url }));
  expect(await codeOf(client.check({}))).toBeDefined();
});

it("takes unary calls from curl, in JSON", async () => {
  const token = await endpoint.token("s", SERVICE);
  const { stdout } = await promisify(execFile)("curl", [
    ...["-s", `${endpoint.url}/dormouse.v1.Hub/Publish`],
    ...["-H", `authorization: Bearer ${token}`, "-H", "content-type: application/json"],
    ...["-d", '{"hub":"stock","topic":"group:curl","target":"said","arguments":["hello"]}'],
  ]);
  expect(JSON.parse(stdout)).toEqual({ position: expect.stringMatching(/^[0-9a-z]+:1$/) });
});

it("serves pages of an allowed origin, in Chromium, by Connect and gRPC-Web", async () => {
  const browser = await launchBrowser();
  try {
    const tab = await browser.newPage();
    await tab.goto(site.origin);
    const token = await endpoint.token("s", SERVICE);
    for (const protocol of ["connect", "grpcWeb"] as const) {
      const outcome = await tab.evaluate(
        ([url, which, bearer]) =>
          (globalThis as unknown as { page: Page }).page.call(url, which, bearer),
        [endpoint.url, protocol, token] as const,
      );
      expect(outcome).toEqual({
        said: ["said", '["from a page"]'],
        openrpc: expect.stringMatching(/^1\./),
        refused: "[unauthenticated] The token is not a signed JWT.",
      });
    }
  } finally {
    await browser.close();
  }
});
