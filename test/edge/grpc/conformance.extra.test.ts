// The applicable cases of Connect's conformance suite for servers, by their names there (docs/grpc.md lists the
// others): https://github.com/connectrpc/conformance, testsuites/data. Its runner is a Go program, and speaks to a
// service of its own; these say the same to ours.

import { toBinary, create } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import {
  PublishRequestSchema,
  SubscribeRequestSchema,
} from "../../../src/protocols/proto/dormouse/v1/hub_pb.ts";
import { as, clientBy, failure, SERVICE } from "./client.ts";
import { envelope, HUB, raw, type Raw } from "./raw.ts";
import { publication, uploaded } from "./values.ts";

const PUBLISH = toBinary(
  PublishRequestSchema,
  create(PublishRequestSchema, publication("group:a", "x")),
);
const SUBSCRIBE = toBinary(
  SubscribeRequestSchema,
  create(SubscribeRequestSchema, { hub: "plain", topics: [{ topic: "group:a" }] }),
);
const NOTHING = new Uint8Array();

const twice = (message: Uint8Array, flags = 0): Uint8Array<ArrayBuffer> => {
  const one = envelope(message, flags);
  return new Uint8Array([...one, ...one]);
};

/** The error of a stream's end, or of a unary answer. */
async function connectCode(response: Response): Promise<string> {
  return /"code":"(?<code>\w+)"/.exec(await response.text())?.groups?.["code"] ?? "";
}

/** The status in the trailers, or in the headers where there is nothing else. */
async function grpcStatus(response: Response): Promise<string> {
  const inHeaders = response.headers.get("grpc-status");
  return (
    inHeaders ?? /grpc-status: (?<status>\d+)/.exec(await response.text())?.groups?.["status"] ?? ""
  );
}

type Row = readonly [name: string, body: Uint8Array<ArrayBuffer>, options: Raw, code: string];

const subscribe = { path: `${HUB}/Subscribe` };

describe("Connect Unexpected Requests", () => {
  const stream = { ...subscribe, type: "application/connect+proto" };
  const proto = { type: "application/proto" };

  it.each<Row>([
    ["server-stream/no-request", NOTHING, stream, "unimplemented"],
    ["server-stream/multiple-requests", twice(SUBSCRIBE), stream, "unimplemented"],
    [
      "unexpected-compression",
      PUBLISH,
      { ...proto, headers: { "content-encoding": "foo" } },
      "unimplemented",
    ],
    [
      "unexpected-compressed-message",
      envelope(SUBSCRIBE, 1),
      { ...stream, headers: { "connect-content-encoding": "identity" } },
      "internal",
    ],
  ])("%s", async (_, body, options, code) => {
    expect(await connectCode(await raw(body, options))).toBe(code);
  });

  it.each<[string, Raw, number]>([
    ["unexpected-content-type", { type: "image/jpeg" }, 415],
    ["unexpected-verb", { ...proto, method: "DELETE" }, 405],
    ["unexpected-uri", { ...proto, path: `${HUB}/UnknownMethod` }, 404],
  ])("%s", async (_, options, status) => {
    expect((await raw(PUBLISH, options)).status).toBe(status);
  });
});

describe("gRPC-Web Unexpected Requests", () => {
  const web = { type: "application/grpc-web+proto" };

  it.each<Row>([
    ["unary/no-request", NOTHING, web, "12"],
    ["unary/multiple-requests", twice(PUBLISH), web, "12"],
    ["server-stream/no-request", NOTHING, { ...web, ...subscribe }, "12"],
    ["server-stream/multiple-requests", twice(SUBSCRIBE), { ...web, ...subscribe }, "12"],
    ["unexpected-uri", envelope(PUBLISH), { ...web, path: `${HUB}/UnknownMethod` }, "12"],
    [
      "unexpected-compression",
      envelope(PUBLISH, 1),
      { ...web, headers: { "grpc-encoding": "foo" } },
      "12",
    ],
    [
      "unexpected-compressed-message",
      envelope(PUBLISH, 1),
      { ...web, headers: { "grpc-encoding": "identity" } },
      "13",
    ],
  ])("%s", async (_, body, options, status) => {
    expect(await grpcStatus(await raw(body, options))).toBe(status);
  });

  it("unexpected-verb", async () => {
    expect((await raw(NOTHING, { ...web, method: "DELETE" })).status).toBe(405);
  });

  it("proto-subformat: application/grpc-web is application/grpc-web+proto", async () => {
    const response = await raw(envelope(PUBLISH), { type: "application/grpc-web" });
    expect(await grpcStatus(response)).toBe("0");
  });
});

describe.each(["connect", "grpc-web"] as const)("Server Empty Requests over %s", (protocol) => {
  const client = clientBy(protocol);

  it.each([
    ["unary/empty-request", async () => client.publish({}, await as("s", SERVICE))],
    ["client-stream/empty-request", async () => client.upload(once({}), await as("s", SERVICE))],
  ])("%s is an empty message, which names no hub", async (_, call) => {
    expect(await failure(call())).toEqual(["InvalidArgument", "invalid_arguments"]);
  });

  it("client-stream without any message sums up nothing", async () => {
    const { accepted, failed } = await client.upload(once(), await as("s", SERVICE));
    expect([accepted, failed]).toEqual([0, 0]);
  });
});

async function* once<T>(...messages: T[]): AsyncGenerator<T> {
  yield* messages;
}

describe.each(["connect", "grpc-web"] as const)("Server Message Size over %s", (protocol) => {
  const client = clientBy(protocol);
  const large = "x".repeat(40_000);

  it.each([
    [
      "unary/request-exceeds-server-limit",
      async () => client.publish(publication("group:large", large), await as("s", SERVICE)),
    ],
    [
      "client-stream/first-request-exceeds-server-limit",
      async () => client.upload(once(uploaded("group:large", large)), await as("s", SERVICE)),
    ],
    [
      "client-stream/subsequent-request-exceeds-server-limit",
      async () =>
        client.upload(
          once(uploaded("group:large", "x"), uploaded("group:large", large)),
          await as("s", SERVICE),
        ),
    ],
  ])("%s", async (_, call) => {
    expect((await failure(call()))[0]).toBe("ResourceExhausted");
  });
});
