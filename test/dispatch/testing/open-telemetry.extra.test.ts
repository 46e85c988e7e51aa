// The sample of docs/seeing.md: a span of OpenTelemetry around every call, by a filter.

import { SpanStatusCode } from "@opentelemetry/api";
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from "@opentelemetry/sdk-trace-base";
import { beforeEach, expect, it } from "vitest";
import * as z from "zod/mini";
import { traced } from "../../../examples/open-telemetry.ts";
import { world } from "../../../src/dispatch/testing/testing.ts";
import { hub, HubError, method, signedIn, type HubContext } from "../../../src/hub.ts";

const exporter = new InMemorySpanExporter();
const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
const filter = traced(provider.getTracer("test"));
beforeEach(() => exporter.reset());

const DeskHub = hub("desk", {
  authorize: signedIn,
  rooms: { group: { enter: signedIn } },
}).methods({
  greet: method([z.string()], (_, name) => `hello ${name}`),
  refuse: method([], () => {
    throw new HubError("closed", "The desk is closed.");
  }),
  fail: method([], () => {
    throw new Error("out of paper");
  }),
});

it("has a span for each call, with hub, method, user and room; a refusal is no failure", async () => {
  const alice = await world(DeskHub, { filters: [filter] }).connect({
    ...{ user: "alice", room: "group:one" },
  });
  expect(await alice.invoke.greet("bob")).toBe("hello bob");
  await expect(alice.invoke.refuse()).rejects.toMatchObject({ code: "closed" });
  await expect(alice.invoke.fail()).rejects.toMatchObject({ code: "internal" });
  const spans = exporter.getFinishedSpans();
  expect(spans.map(({ name, status }) => [name, status.code])).toEqual([
    ["desk/greet", SpanStatusCode.UNSET],
    ["desk/refuse", SpanStatusCode.UNSET],
    ["desk/fail", SpanStatusCode.ERROR],
  ]);
  const about = { "rpc.system": "dormouse", "rpc.service": "desk", "enduser.id": "alice" };
  expect(spans[1]!.attributes).toEqual({
    ...about,
    ...{ "rpc.method": "refuse", "dormouse.room": "group:one", "dormouse.code": "closed" },
  });
});

it("continues the trace of the request", async () => {
  const [traceId, spanId] = ["4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"];
  const context = {
    trace: `00-${traceId}-${spanId}-01`,
    user: { id: "alice" },
    room: { kind: "group", name: "one" },
  } as HubContext<object>;
  const about = { context, hub: "desk", method: "greet", args: [] };
  expect(await filter.invoke!(about, async () => 7)).toBe(7);
  const [span] = exporter.getFinishedSpans();
  expect(span!.spanContext().traceId).toBe(traceId);
  expect(span!.parentSpanContext).toMatchObject({ spanId, isRemote: true });
});
