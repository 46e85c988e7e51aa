// An upload as its two kinds read it. The kind of the first message is that of the whole upload.

import { HubError } from "../../model/errors.ts";
import type { UploadRequest } from "../../protocols/proto/dormouse/v1/hub_pb.ts";

/** `rest` is read by one reader, one message at a time. */
export interface Upload {
  readonly first: UploadRequest;
  readonly rest: AsyncIterator<UploadRequest>;
}

export const mixedUploadError = () =>
  new HubError("invalid_arguments", "An upload has publishes, or one invoke and its items.");
