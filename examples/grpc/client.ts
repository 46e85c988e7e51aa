// node client.ts <url> <token>: subscribes to a room, uploads a stream, and reads what was published.
// Other languages generate their client from the package's proto/dormouse/v1/hub.proto.

import { fromJson, toJson } from "@bufbuild/protobuf";
import { ListValueSchema, ValueSchema } from "@bufbuild/protobuf/wkt";
import { createClient } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import { Hub } from "dormouse-hubs/grpc";

const [, , url = "http://127.0.0.1:8787", token = ""] = process.argv;
const client = createClient(Hub, createConnectTransport({ baseUrl: url, httpVersion: "1.1" }));
const ending = new AbortController();
const as = { headers: { authorization: `Bearer ${token}` }, signal: ending.signal };

async function* readings() {
  yield { kind: { case: "invoke", value: { hub: "grpc", method: "upload" } } } as const;
  for (const watts of [100, 250])
    yield { kind: { case: "item", value: fromJson(ValueSchema, { meter: "m1", watts }) } } as const;
}

for await (const { kind } of client.subscribe(
  { hub: "grpc", topics: [{ topic: "group:totals" }] },
  as,
)) {
  // It stands: what is published from here on comes.
  if (kind.case === "standing" && kind.value.topic === "group:totals")
    await client.upload(readings(), as);
  if (kind.case !== "event") continue;
  console.log(kind.value.target, JSON.stringify(toJson(ListValueSchema, kind.value.arguments!)));
  break;
}
ending.abort();
