// A service's run of an action: the action is found and authorized here, by the same policies as on a connection, and
// then run by the room.

import { runtimeAt } from "../../dispatch/define/runtime.ts";
import { authorise, noAction } from "../../dispatch/run/admit-call.ts";
import { isErrorCode } from "../../model/error-table.ts";
import { HubError } from "../../model/errors.ts";
import { parsePosition, type Position } from "../../model/topic.ts";
import { traceOf } from "../../model/trace.ts";
import { SERVICE_ROLE, type User } from "../../model/user.ts";
import { unlessRefused } from "../../rooms/rpc/fault.ts";
import type { RunResult } from "../../rooms/rpc/state-rpc.ts";
import { RefusedWith } from "./azure-errors.ts";
import type { HubRequest } from "./hub-request.ts";

interface ServiceRun {
  readonly action: string;
  readonly args: readonly unknown[];
  readonly key: string | undefined;
}

/**
 * Throws what policies and the action throw. A code of the hub's own is answered with 422; 412 if the room is no longer
 * at the position of `If-Match`.
 */
export async function runByService(hub: HubRequest, run: ServiceRun): Promise<RunResult> {
  const { served, topic } = hub;
  const { action: name, args, key } = run;
  const action = served.state?.actions.get(name);
  if (!action || topic.kind !== served.state?.declaration.kind)
    throw noAction(served, topic.kind, name);
  const user = userOf(hub);
  const runtime = runtimeAt(hub, { hub: served.name, method: name });
  await authorise(served, action, { target: name, args, user, runtime });
  const draft = hub.draft({ target: name, arguments: [...args] });
  const at = expectedPosition(hub.request);
  const more = { ...(key !== undefined && { key }), ...(at && { at }), ...traceOf(draft) };
  try {
    const ran = hub.room(topic).runAction({ action: name, args: draft.params, user, ...more });
    return unlessRefused(await ran);
  } catch (error) {
    throw refusalOf(error, at);
  }
}

/** The user of the run. A service with an access key has no user of its own. */
const userOf = ({ service: { tenant, user } }: HubRequest): User =>
  user ?? {
    ...{ id: SERVICE_ROLE, tenant, roles: [SERVICE_ROLE] },
    ...{ claims: {}, caps: [], channels: [], expiresAt: Infinity },
  };

function refusalOf(error: unknown, at: Position | undefined): unknown {
  if (!(error instanceof HubError)) return error;
  if (error.code === "conflict" && at) return new RefusedWith(412, error);
  return isErrorCode(error.code) ? error : new RefusedWith(422, error);
}

/**
 * The position of `If-Match`, with or without the quotes of an entity tag. Weak tags are accepted, since a position
 * names exactly one state, and Cloudflare makes tags weak when it compresses the answer (its docs, "ETag headers").
 * Throws `invalid_position`.
 */
function expectedPosition({ headers }: Request): Position | undefined {
  const header = headers.get("if-match")?.trim();
  if (header === undefined || header === "*") return undefined;
  return parsePosition(header.replace(/^(?:W\/)?"(.*)"$/, "$1"));
}
