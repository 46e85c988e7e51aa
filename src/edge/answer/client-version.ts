// The version that Dormouse's own client sends in its query. Other clients send none, and are not checked.

import { HubError } from "../../model/errors.ts";
import { VERSION_PARAMETER } from "../../model/package-version.ts";
import { urlOf } from "../../model/request-url.ts";

/** The oldest client whose messages this server understands. Raised only by an incompatible change of the protocol. */
const OLDEST = "0.1.0";

const VERSION_FORM = /^(?:0|[1-9]\d{0,3})(?:\.(?:0|[1-9]\d{0,3})){2}$/;

/** `major.minor.patch`; undefined for clients that send none, or something else. At most 14 characters. */
export function clientVersionOf(request: Request): string | undefined {
  const url = urlOf(request);
  if (!url.search.includes(`${VERSION_PARAMETER}=`)) return undefined;
  const version = url.searchParams.get(VERSION_PARAMETER) ?? "";
  return VERSION_FORM.test(version) ? version : undefined;
}

/**
 * Throws `client_too_old`. A client that is newer than the server passes. So does a preflight: browsers do not show
 * pages why one failed, but they do show the refusal of the request that follows.
 */
export function checkClientVersion(request: Request): void {
  const version = request.method === "OPTIONS" ? undefined : clientVersionOf(request);
  if (version === undefined || !isOlder(version, OLDEST)) return;
  throw new HubError(
    "client_too_old",
    `This server supports clients from version ${OLDEST} on; this one is ${version}.`,
  );
}

/** Both versions are `major.minor.patch`. */
function isOlder(version: string, other: string): boolean {
  const [own, others] = [version, other].map((text) => text.split(".").map(Number));
  const at = own!.findIndex((part, index) => part !== others![index]);
  return at >= 0 && own![at]! < others![at]!;
}
