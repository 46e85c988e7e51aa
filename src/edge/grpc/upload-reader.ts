// An upload as it is read: its first message says which of two kinds it is.

import { HubError } from "../../model/errors.ts";
import type { UploadRequest } from "../../protocols/proto/dormouse/v1/hub_pb.ts";

export interface Upload {
  readonly first: UploadRequest;
  readonly rest: AsyncIterator<UploadRequest>;
}

export const mixed = () =>
  new HubError("invalid_arguments", "An upload is of publishes, or of one invoke and its items.");
