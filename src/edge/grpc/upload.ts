// Many messages in one call: publishes, or what a method reads as a stream.

import type { HandlerContext } from "@connectrpc/connect";
import type { UploadRequest } from "../../protocols/proto/dormouse/v1/hub_pb.ts";
import { within } from "./grpc-call.ts";
import { items } from "./upload-items.ts";
import { publishes } from "./upload-publishes.ts";
import { mixed } from "./upload-reader.ts";

export async function upload(requests: AsyncIterable<UploadRequest>, context: HandlerContext) {
  const rest = requests[Symbol.asyncIterator]();
  const { done, value: first } = await within(context.signal, rest.next());
  if (done) return {};
  const { kind } = first;
  if (kind.case === "publish") return publishes({ first, rest }, kind.value.hub, context);
  if (kind.case === "invoke") return items(kind.value, rest, context);
  throw mixed();
}
