// The connect webhook: an HTTP endpoint of the application that accepts or refuses a connection before any object is
// reached, and may add claims to the token's. It fails closed: without an answer, nobody connects.

import type { Refusal } from "../../auth/auth-refusal.ts";
import { readConfig, type AuthEnv } from "../../auth/auth-config.ts";
import { readGrant } from "../../auth/grant.ts";
import { textWithin } from "../../model/bounded-read.ts";
import { HubError } from "../../model/errors.ts";
import { logError } from "../../model/logger.ts";
import { formatTopic, type Topic } from "../../model/topic.ts";
import { traceIn } from "../../model/trace.ts";
import type { Grant, User } from "../../model/user.ts";
import { hasBigint, overflowIn, parseExactJson } from "../../protocols/exact-json.ts";
import { isJsonObject } from "../../protocols/json.ts";
import type { Destination } from "../../webhooks/webhook-config.ts";
import { EVENT_TYPE, eventText } from "../../webhooks/cloud-events.ts";
import { post } from "../../webhooks/webhook-request.ts";
import { connectRequest } from "./connect-request.ts";

/** A connection that an authenticated user requests. */
export interface ConnectAttempt {
  readonly request: Request;
  readonly user: User;
  readonly hub: string;
  /** Absent: the connection is to the whole hub. */
  readonly room?: Topic;
  /** All rooms of a stream of several, as topics: the query, which also names them, may be shortened. */
  readonly rooms?: readonly string[];
}

const TIMEOUT_MS = 5_000;
/** The most bytes of an answer: its claims are kept in the connection's attachment, like the token's. */
const ANSWER_BYTES = 4_096;

/**
 * Calls the webhook once, without retries: the client is waiting, and retries its own request. Clients see only the
 * webhook's refusals. Other failures are the application's own: they are logged, and become `webhook_unavailable`,
 * after which clients retry.
 */
export async function askConnectWebhook(
  attempt: ConnectAttempt,
  to: Destination,
  env: AuthEnv,
): Promise<Grant | undefined> {
  const id = crypto.randomUUID();
  const message = {
    id,
    type: EVENT_TYPE,
    body: eventOf(attempt, id, Date.now()),
    ...traceIn(attempt.request),
  };
  try {
    return await post(message, { ...to, timeoutMs: TIMEOUT_MS, now: Date.now }, async (answer) =>
      grantIn(await readAnswer(answer), env),
    );
  } catch (error) {
    if (error instanceof HubError && error.code === "refused_by_webhook") throw error;
    const why = error instanceof Error ? error.message : String(error);
    const { hub, room } = attempt;
    logError("connect_webhook_failed", { hub, ...(room && { room: formatTopic(room) }), why });
    throw new HubError("webhook_unavailable", "The connect webhook does not answer.");
  }
}

/**
 * The CloudEvents text of the attempt; `at` is its time in milliseconds since 1970. `subject` is the room, or else the
 * hub. The claims are those of the verified token.
 */
function eventOf(attempt: ConnectAttempt, id: string, at: number): string {
  const { request, user, hub, room, rooms = [] } = attempt;
  const subject = room ? formatTopic(room) : hub;
  const place = { ...(room && { room: subject }), ...(rooms.length > 1 && { rooms }) };
  const about = { userId: user.id, ...place, claims: user.claims };
  const data = JSON.stringify({ ...about, query: connectRequest(request).query });
  const { trace } = traceIn(request);
  return eventText({ id, kind: "connect", tenant: user.tenant, hub, subject, at, data, trace });
}

/** 2xx accepts, 401 and 403 refuse, all else is a failure. Returns the claims, or undefined if there are none. */
async function readAnswer(answer: Response): Promise<object | undefined> {
  const { status, ok } = answer;
  if (ok && status !== 204) return claimsIn(await textWithin(answer.body, ANSWER_BYTES, tooLarge));
  if (status === 401 || status === 403)
    throw new HubError("refused_by_webhook", "This user may not connect here.");
  if (!ok) throw new Error(`It answered ${status}.`);
  return undefined;
}

/** No claims: a 204, an empty body, the body `null`, and `"claims": null`, as serializers write absent values. */
function claimsIn(text: string): object | undefined {
  if (text === "") return undefined;
  const answer = parseExactJson(text);
  if (answer === null) return undefined;
  if (!isJsonObject(answer)) throw new Error("Its answer is not a JSON object.");
  if (hasBigint(answer) || overflowIn(answer))
    throw new Error("Its answer has a number beyond 2^53: send ids as strings.");
  const claims = answer["claims"] ?? undefined;
  if (claims !== undefined && !isJsonObject(claims))
    throw new Error("Its claims are not a JSON object.");
  return claims;
}

const tooLarge = () => new Error(`Its answer is over ${ANSWER_BYTES} bytes.`);

/**
 * The claims as a grant. Some claims (`sub`, `iss`, …) may come from the token only: an answer with one of those is
 * invalid as a whole, because the application expects an effect that it would not get.
 */
function grantIn(claims: object | undefined, env: AuthEnv): Grant | undefined {
  const config = readConfig(env);
  try {
    return claims && readGrant({ ...claims }, config);
  } catch (cause) {
    const { claim } = cause as Partial<Refusal>;
    throw new Error(`It may not set the claim "${claim}", or not like this.`, { cause });
  }
}
