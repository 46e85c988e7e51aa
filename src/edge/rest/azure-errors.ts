// Errors of the REST interface as Azure's error document. The code is Dormouse's own and stable; it is in the body and
// in Dormouse's header. Azure's header has Azure's code if its SDKs look for one there, and else Dormouse's.

import { claimHeader, Refusal } from "../../auth/authenticate.ts";
import { httpStatusOf } from "../../model/error-table.ts";
import { HubError } from "../../model/errors.ts";
import { headerCode, refusalHeaders } from "../../model/refusal-headers.ts";
import { shownError } from "../answer/overload.ts";

/**
 * The answer to a request that failed with any error: refused tokens, overload of the platform, errors of hubs. 429 and
 * 503 have `retry-after`. An unexpected error is logged, and shown as `internal`.
 * `missing` is Azure's code for a connection, user or group that does not exist: its SDKs throw for a 404 without it.
 */
export function failed(error: unknown, missing?: AzureCode): Response {
  if (error instanceof Refusal) return errorDocument(error, error.status, claimHeader(error));
  const shown = shownError(error);
  const status = error instanceof RefusedWith ? error.httpStatus : httpStatusOf(shown.code);
  const azureCode = isMissing(shown.code) ? missing : undefined;
  return errorDocument(shown, status, azureCode && { [AZURE_HEADER]: azureCode });
}

/** An error with another status than its code has elsewhere. */
export class RefusedWith extends HubError<string> {
  readonly httpStatus: number;

  constructor(httpStatus: number, { code, message }: HubError) {
    super(code, message);
    this.httpStatus = httpStatus;
  }
}

/** The codes as Azure's management SDK compares them. */
export type AzureCode =
  | "Warning.Connection.NotExisted"
  | "Warning.User.NotExisted"
  | "Warning.Group.NotExisted"
  | "Info.User.NotInGroup"
  | "Error.Connection.NotExisted";

const AZURE_HEADER = "x-ms-error-code";

/** Whether the code means a missing resource. Not a missing hub: Azure has no code for that. */
const isMissing = (code: string): boolean =>
  code === "not_found" || code === "connection_not_found";

/** Azure's SDKs expect all five members, and the media type without a charset. */
function errorDocument(
  { code, message, retryAfter }: Pick<HubError, "code" | "message" | "retryAfter">,
  status: number,
  headers: Readonly<Record<string, string>> = {},
): Response {
  const document = { code, message, target: null, details: [], inner: null };
  const usual = {
    [AZURE_HEADER]: headerCode(code),
    ...refusalHeaders(code, status, retryAfter),
    ...JSON_TYPE,
  };
  return Response.json(document, { status, headers: { ...usual, ...headers } });
}

const JSON_TYPE = { "content-type": "application/json" };
