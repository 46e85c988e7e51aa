// Upload: many messages in one call, either publications or the items of one method's stream.

import type { HandlerContext } from "@connectrpc/connect";
import type { UploadRequest } from "../../protocols/proto/dormouse/v1/hub_pb.ts";
import { untilAborted } from "./abort-signals.ts";
import { mixedUploadError } from "./grpc-errors.ts";
import { uploadItems } from "./upload-items.ts";
import { uploadPublishes } from "./upload-publishes.ts";

/** An empty upload succeeds with an empty summary. Throws `invalid_arguments` if the first message is an item. */
export async function upload(requests: AsyncIterable<UploadRequest>, context: HandlerContext) {
  const rest = requests[Symbol.asyncIterator]();
  const { done, value: first } = await untilAborted(context.signal, rest.next());
  if (done) return {};
  const { kind } = first;
  if (kind.case === "publish") return uploadPublishes({ first, rest }, kind.value.hub, context);
  if (kind.case === "invoke") return uploadItems(kind.value, rest, context);
  throw mixedUploadError();
}
