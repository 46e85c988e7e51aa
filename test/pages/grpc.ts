// A page that calls the service by connect-web, in Connect and gRPC-Web: e2e/grpc/clients.test.ts drives it.

import { fromJson, toJson } from "@bufbuild/protobuf";
import { ListValueSchema, ValueSchema } from "@bufbuild/protobuf/wkt";
import { ConnectError, createClient } from "@connectrpc/connect";
import { createConnectTransport, createGrpcWebTransport } from "@connectrpc/connect-web";
import { Hub } from "../../src/protocols/proto/dormouse/v1/hub_pb.ts";

const TRANSPORTS = { connect: createConnectTransport, grpcWeb: createGrpcWebTransport };

function clientAt(baseUrl: string, protocol: keyof typeof TRANSPORTS) {
  return createClient(Hub, TRANSPORTS[protocol]({ baseUrl }));
}

type Options = { readonly headers: Record<string, string> };

async function receive(client: ReturnType<typeof clientAt>, topic: string, options: Options) {
  const abort = new AbortController();
  const request = { hub: "stock", topics: [{ topic }] };
  const received: string[] = [];
  for await (const { kind } of client.subscribe(request, { ...options, signal: abort.signal })) {
    if (kind.case === "standing") await client.publish(publication(topic), options);
    if (kind.case !== "event") continue;
    received.push(
      kind.value.target,
      JSON.stringify(toJson(ListValueSchema, kind.value.arguments!)),
    );
    break;
  }
  return received;
}

const publication = (topic: string) => ({
  ...{ hub: "stock", topic, target: "said", arguments: fromJson(ListValueSchema, ["from a page"]) },
});

/** The results of the calls over one protocol. */
async function call(baseUrl: string, protocol: keyof typeof TRANSPORTS, token: string) {
  const client = clientAt(baseUrl, protocol);
  const options = { headers: { authorization: `Bearer ${token}` } };
  const said = await receive(client, `group:page-${protocol}`, options);
  const { result } = await client.invoke({ hub: "stock", method: "rpc.discover" }, options);
  const refused = await client
    .publish(publication("group:a"), { headers: { authorization: "Bearer x" } })
    .catch((error: unknown) => ConnectError.from(error).message);
  const { openrpc } = toJson(ValueSchema, result!) as { openrpc: string };
  return { said, openrpc, refused };
}

export interface Page {
  readonly call: typeof call;
}

Object.assign(globalThis, { page: { call } satisfies Page });
