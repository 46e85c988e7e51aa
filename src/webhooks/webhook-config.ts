// The environment's settings of webhooks, validated as a whole: while one is wrong, new connections are refused.

import { cacheByValues, MIN_HMAC_KEY_BYTES, secureUrl } from "../model/environment.ts";
import { HubError } from "../model/errors.ts";
import { logError } from "../model/logger.ts";

export interface WebhookEnv {
  /** Receiver of events: https, or http on a loopback host. Absent: events are neither stored nor sent. */
  WEBHOOK_URL?: string;
  /**
   * Signs every request: `whsec_` and 24–64 bytes in base64 (Standard Webhooks), or a text of 32 bytes or more. Several,
   * with spaces between them, sign side by side.
   */
  WEBHOOK_SECRET?: string;
  /** Kinds of events, separated by commas. Absent: all but `message`. */
  WEBHOOK_EVENTS?: string;
  /** Called before every connection, and may refuse it. Absent: no call. */
  WEBHOOK_CONNECT_URL?: string;
}

const EVENT_KINDS = ["connected", "disconnected", "joined", "left", "message"] as const;

export type EventKind = (typeof EVENT_KINDS)[number];

/** A receiver of signed requests. */
export interface Destination {
  readonly url: string;
  /** Each signs. */
  readonly keys: readonly ReturnType<typeof crypto.subtle.importKey>[];
}

export interface Webhooks {
  /** Absent: events are disabled. */
  readonly events?: Destination & { readonly kinds: ReadonlySet<EventKind> };
  /** Absent: connections need no approval. */
  readonly connect?: Destination;
}

/** The configuration for existing connections: `none` where it is invalid, since they are not to be closed for it. */
export function webhooksOr(none: Webhooks, env: WebhookEnv): Webhooks {
  try {
    return readWebhooks(env);
  } catch {
    return none; // Logged by `readWebhooks`.
  }
}

const VARIABLES = [
  "WEBHOOK_URL",
  "WEBHOOK_SECRET",
  "WEBHOOK_EVENTS",
  "WEBHOOK_CONNECT_URL",
] as const satisfies readonly (keyof WebhookEnv)[];

/**
 * The configuration; without any URL it is empty. Throws `misconfigured` and logs the variable's name, never its value.
 * Cached by the values of all variables, so that the key is imported once per isolate.
 */
export const readWebhooks = cacheByValues<WebhookEnv, Webhooks>(VARIABLES, readConfiguration);

function readConfiguration(env: WebhookEnv): Webhooks {
  const problems: string[] = [];
  return configurationOf(env, problems) ?? rejectConfig(problems.join(" "));
}

/** All problems of these variables, each a sentence that begins with a variable's name. Logs nothing. */
export function webhookProblems(env: WebhookEnv): readonly string[] {
  const problems: string[] = [];
  configurationOf(env, problems);
  return problems;
}

/** Undefined where there is a problem; all problems are reported. */
function configurationOf(env: WebhookEnv, problems: string[]): Webhooks | undefined {
  const { WEBHOOK_URL, WEBHOOK_CONNECT_URL } = env;
  if (!WEBHOOK_URL && !WEBHOOK_CONNECT_URL) return {};
  const secrets = readSecrets(env.WEBHOOK_SECRET ?? "", problems);
  const url = WEBHOOK_URL && readUrl("WEBHOOK_URL", WEBHOOK_URL, problems);
  const kinds = WEBHOOK_URL ? readKinds(env.WEBHOOK_EVENTS ?? "", problems) : new Set<EventKind>();
  const connectUrl =
    WEBHOOK_CONNECT_URL && readUrl("WEBHOOK_CONNECT_URL", WEBHOOK_CONNECT_URL, problems);
  if (problems.length > 0) return undefined;
  const keys = secrets.map(importKey);
  return {
    ...(url && { events: { url, keys, kinds } }),
    ...(connectUrl && { connect: { url: connectUrl, keys } }),
  };
}

const SECRET_PREFIX = "whsec_";
/** Bytes that Standard Webhooks requires of a secret with `whsec_`. */
const SECRET_BYTES = { least: 24, most: 64 };

/** The bytes of each secret; a text without `whsec_` is used as UTF-8. Reports the first that is wrong. */
function readSecrets(text: string, problems: string[]): Uint8Array[] {
  const secrets = text.split(/\s+/).filter((secret) => secret !== "");
  if (secrets.length === 0) problems.push("WEBHOOK_SECRET is missing.");
  const read = secrets.map(readSecret);
  const wrong = read.find((one) => typeof one === "string");
  const which = secrets.length > 1 ? "has a secret that " : "";
  if (wrong) problems.push(`WEBHOOK_SECRET ${which}is ${wrong}.`);
  return read.filter((one) => typeof one !== "string");
}

/** The bytes, or the problem. */
function readSecret(secret: string): Uint8Array | string {
  const { least, most } = SECRET_BYTES;
  const isEncoded = secret.startsWith(SECRET_PREFIX);
  const bytes = isEncoded ? decodeBase64(secret.slice(SECRET_PREFIX.length)) : utf8(secret);
  if (isEncoded && (!bytes || bytes.length < least || bytes.length > most))
    return `not whsec_ and ${least}–${most} bytes in base64${commaHint(secret)}`;
  const isShort = !isEncoded && bytes!.length < MIN_HMAC_KEY_BYTES;
  return isShort ? `under ${MIN_HMAC_KEY_BYTES} bytes` : bytes!;
}

const commaHint = (secret: string): string =>
  secret.includes(",") ? "; several secrets have spaces between them, not commas" : "";

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

function decodeBase64(text: string): Uint8Array | undefined {
  try {
    return Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
  } catch {
    return undefined;
  }
}

const importKey = (bytes: Uint8Array): Destination["keys"][number] =>
  crypto.subtle.importKey("raw", bytes, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);

/** Refuses credentials in the URL: requests are authenticated by their signature, and URLs reach logs. */
function readUrl(name: string, text: string, problems: string[]): string | undefined {
  const url = secureUrl(text);
  if (typeof url === "string") problems.push(`${name} ${url}`);
  else if (url.username || url.password)
    problems.push(`${name} has a user or a password, which is not allowed.`);
  else return url.href;
  return undefined;
}

/** Reports a name that is no kind: a misspelt kind would silently never be sent. */
function readKinds(text: string, problems: string[]): ReadonlySet<EventKind> {
  if (text.trim() === "") return new Set(EVENT_KINDS.filter((kind) => kind !== "message"));
  const names = text.split(",").map((name) => name.trim());
  const kinds = names.map((name) => EVENT_KINDS.find((kind) => kind === name));
  if (kinds.includes(undefined))
    problems.push(`WEBHOOK_EVENTS has a name other than ${EVENT_KINDS.join(", ")}.`);
  return new Set(kinds.filter((kind) => kind !== undefined));
}

function rejectConfig(problem: string): never {
  logError("webhooks_misconfigured", { problem });
  throw new HubError("misconfigured", "The server is misconfigured.");
}
