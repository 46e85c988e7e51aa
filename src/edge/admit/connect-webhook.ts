// The webhook that is asked before a client connects, and admits, refuses or says more of it than its token does. Where
// it does not answer, nobody comes in.

import { readConfig, type AuthEnv } from "../../auth/auth-config.ts";
import { readGrant } from "../../auth/grant.ts";
import { textWithin } from "../../model/bounded-read.ts";
import { HubError } from "../../model/errors.ts";
import { logError } from "../../model/logger.ts";
import { formatTopic, type Topic } from "../../model/topic.ts";
import { applyGrant, type Grant, type User } from "../../model/user.ts";
import { readWebhooks, type Destination, type WebhookEnv } from "../../webhooks/webhook-config.ts";
import { EVENT_TYPE, eventText } from "../../webhooks/cloud-events.ts";
import { post } from "../../webhooks/webhook-request.ts";
import { connectRequest } from "./connect-request.ts";

/** Who would connect, and to what. */
export interface Comer {
  readonly request: Request;
  readonly user: User;
  readonly hub: string;
  /** Absent: the whole hub. */
  readonly room?: Topic;
  /** All of them, as topics, where a stream has several: of the query the webhook is told a part only. */
  readonly rooms?: readonly string[];
}

const ANSWER_MS = 5_000;
/** Bytes of an answer: what it grants is kept beside the connection, as the token's claims are. */
const ANSWER_BYTES = 4_096;

/**
 * The user as the webhook has it; as it was, where none is configured. Throws `misconfigured`, `refused_by_webhook` or
 * `webhook_unavailable`.
 */
export async function asked(comer: Comer, env: AuthEnv & WebhookEnv): Promise<User> {
  const { connect } = readWebhooks(env);
  if (!connect) return comer.user;
  return applyGrant(comer.user, await answerTo(comer, connect, env));
}

async function answerTo(comer: Comer, to: Destination, env: AuthEnv): Promise<Grant | undefined> {
  const id = crypto.randomUUID();
  const message = { id, type: EVENT_TYPE, body: questionOf(comer, id, Date.now()) };
  try {
    return await post(message, { ...to, timeoutMs: ANSWER_MS, now: Date.now }, async (answer) =>
      grantIn(await readAnswer(answer), env),
    );
  } catch (error) {
    if (error instanceof HubError && error.code === "refused_by_webhook") throw error;
    const why = error instanceof Error ? error.message : String(error);
    logError("connect_webhook_failed", { why });
    throw new HubError("webhook_unavailable", "It cannot be asked now who may connect.");
  }
}

function questionOf(comer: Comer, id: string, at: number): string {
  const { request, user, hub, room, rooms = [] } = comer;
  const subject = room ? formatTopic(room) : hub;
  const where = { ...(room && { room: subject }), ...(rooms.length > 1 && { rooms }) };
  const about = { userId: user.id, ...where, claims: user.claims };
  const data = JSON.stringify({ ...about, query: connectRequest(request).query });
  return eventText({ id, kind: "connect", tenant: user.tenant, hub, subject, at, data });
}

/** The claims, or undefined where there are none. */
async function readAnswer(answer: Response): Promise<object | undefined> {
  const { status, ok } = answer;
  if (ok && status !== 204) return claimsIn(await textWithin(answer.body, ANSWER_BYTES, tooLarge));
  await answer.body?.cancel();
  if (status === 401 || status === 403)
    throw new HubError("refused_by_webhook", "This user may not connect here.");
  if (!ok) throw new Error(`It answered ${status}.`);
  return undefined;
}

/** An empty answer is like 204. */
function claimsIn(text: string): object | undefined {
  if (text === "") return undefined;
  const answer: unknown = JSON.parse(text);
  if (!isObject(answer)) throw new Error("Its answer is no JSON object.");
  const { claims } = answer as { claims?: unknown };
  if (claims !== undefined && !isObject(claims)) throw new Error("Its claims are no JSON object.");
  return claims;
}

const isObject = (value: unknown): value is object =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const tooLarge = () => new Error(`Its answer is over ${ANSWER_BYTES} bytes.`);

function grantIn(claims: object | undefined, env: AuthEnv): Grant | undefined {
  const config = readConfig(env);
  try {
    return claims && readGrant({ ...claims }, config);
  } catch {
    throw new Error("It may not set one of its claims, or not like this.");
  }
}
