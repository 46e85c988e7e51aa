// Generated clients in Node, and what tests send and read with them.

import { fromJson, toJson, type JsonValue } from "@bufbuild/protobuf";
import { ListValueSchema, type ListValue } from "@bufbuild/protobuf/wkt";
import { createClient, type Client } from "@connectrpc/connect";
import { createConnectTransport, createGrpcWebTransport } from "@connectrpc/connect-node";
import { Hub, type Event } from "../../../src/protocols/proto/dormouse/v1/hub_pb.ts";
import type { Endpoint } from "../../support/endpoint.ts";

export const PROTOCOLS = ["Connect", "Connect with JSON", "gRPC-Web"] as const;
export type ProtocolName = (typeof PROTOCOLS)[number];

export function clientAt(baseUrl: string, protocol: ProtocolName = "Connect"): Client<typeof Hub> {
  const make = protocol === "gRPC-Web" ? createGrpcWebTransport : createConnectTransport;
  const useBinaryFormat = protocol !== "Connect with JSON";
  return createClient(Hub, make({ baseUrl, httpVersion: "1.1", useBinaryFormat }));
}

export async function as(endpoint: Endpoint, user: string, claims: Record<string, unknown> = {}) {
  return { headers: { authorization: `Bearer ${await endpoint.token(user, claims)}` } };
}

export const SERVICE = { role: "service" };

export const list = (...values: JsonValue[]): ListValue => fromJson(ListValueSchema, values);

export const argumentsIn = ({ arguments: said }: Pick<Event, "arguments">): JsonValue =>
  toJson(ListValueSchema, said!);
