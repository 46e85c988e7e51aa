// An upload in the form that both kinds of uploads read. The first message determines the kind of the whole upload.

import { HubError } from "../../model/errors.ts";
import type { UploadRequest } from "../../protocols/proto/dormouse/v1/hub_pb.ts";

/** The messages of an upload. `rest` is read by one reader, one message at a time. */
export interface Upload {
  readonly first: UploadRequest;
  readonly rest: AsyncIterator<UploadRequest>;
}

export const mixedUploadError = () =>
  new HubError("invalid_arguments", "An upload has publishes, or one invoke and its items.");
