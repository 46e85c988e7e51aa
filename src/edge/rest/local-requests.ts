// Operations of the REST interface for code of the same worker: the same paths, inputs and answers, without a token and
// without a request over the network.

import type { Hubs } from "../../dispatch/define/hub-tables.ts";
import { HubError } from "../../model/errors.ts";
import { urlOf } from "../../model/request-url.ts";
import type { Place } from "../../rooms/rpc/place.ts";
import { checkSetup } from "../../setup/check-setup.ts";
import type { ServiceEnv } from "./service-admission.ts";
import { HUB_PREFIX, runOperation } from "./rest-router.ts";
import { operations } from "./index.ts";
import { pathPattern } from "./operation-input.ts";
import type { Operation } from "./operation.ts";

export interface LocalService {
  /** Must contain the hub of the requests. */
  readonly hubs: Hubs;
  readonly env: ServiceEnv;
  readonly place?: Place | undefined;
  readonly tenant: string;
}

/**
 * Runs the operation of a request, whose URL may have any origin. Throws what the operation throws, `misconfigured`,
 * and `not_found` if there is no such operation.
 */
export async function requestLocally(
  { hubs, env, place, tenant }: LocalService,
  request: Request,
): Promise<Response> {
  checkSetup(env);
  const { pathname } = urlOf(request);
  const operation = operations.find((one) => matches(one, request.method, pathname));
  if (!operation) throw new HubError("not_found", "There is no such operation.");
  const routed = { operation, pattern: pathPattern(HUB_PREFIX + operation.path) };
  return runOperation(
    routed,
    // Nothing to do: the caller's own invocation lasts as long.
    { hubs, request, env, place, prefix: "", waitUntil: () => {} },
    { tenant, name: `worker of ${tenant}` },
  );
}

/**
 * Matches segment by segment; a parameter in braces matches any. `GET` answers `HEAD` as well. The router also takes
 * the first match.
 */
function matches({ method, path }: Operation, verb: string, pathname: string): boolean {
  const pattern = (HUB_PREFIX + path).split("/");
  const segments = pathname.split("/");
  return (
    method === (verb === "HEAD" ? "GET" : verb) &&
    pattern.length === segments.length &&
    pattern.every((part, index) => part.startsWith("{") || part === segments[index])
  );
}
