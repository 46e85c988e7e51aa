// The environment's settings of webhooks, validated as a whole: while one is wrong, new connections are refused.

import { cacheByValues, MIN_HMAC_KEY_BYTES, secureUrl } from "../model/environment.ts";
import { HubError } from "../model/errors.ts";
import { logError } from "../model/logger.ts";

export interface WebhookEnv {
  /** Receiver of events: https, or http on a loopback host. Absent: events are neither stored nor sent. */
  WEBHOOK_URL?: string;
  /** Signs every request: `whsec_` and 24–64 bytes in base64 (Standard Webhooks), or any text of 32 bytes or more. */
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
  readonly key: Promise<CryptoKey>;
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

function readConfiguration({
  WEBHOOK_URL: url,
  WEBHOOK_SECRET: secret,
  WEBHOOK_EVENTS: kinds,
  WEBHOOK_CONNECT_URL: connectUrl,
}: WebhookEnv): Webhooks {
  if (!url && !connectUrl) return {};
  if (!secret) rejectConfig("WEBHOOK_SECRET is missing.");
  const key = importKey(readSecret(secret));
  return {
    ...(url && {
      events: { url: readUrl("WEBHOOK_URL", url), key, kinds: readKinds(kinds ?? "") },
    }),
    ...(connectUrl && { connect: { url: readUrl("WEBHOOK_CONNECT_URL", connectUrl), key } }),
  };
}

const SECRET_PREFIX = "whsec_";
/** Bytes that Standard Webhooks requires of a secret with `whsec_`. */
const SECRET_BYTES = { least: 24, most: 64 };

/** The bytes that sign. A text without `whsec_` is used as UTF-8. */
function readSecret(secret: string): Uint8Array<ArrayBuffer> {
  if (secret.startsWith(SECRET_PREFIX)) return readBase64(secret.slice(SECRET_PREFIX.length));
  const bytes = Uint8Array.from(new TextEncoder().encode(secret));
  if (bytes.length < MIN_HMAC_KEY_BYTES)
    rejectConfig(`WEBHOOK_SECRET is under ${MIN_HMAC_KEY_BYTES} bytes.`);
  return bytes;
}

function readBase64(text: string): Uint8Array<ArrayBuffer> {
  const bytes = decodeBase64(text);
  const { least, most } = SECRET_BYTES;
  if (!bytes || bytes.length < least || bytes.length > most)
    rejectConfig(`WEBHOOK_SECRET is not whsec_ and ${least}–${most} bytes in base64.`);
  return bytes;
}

function decodeBase64(text: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    return Uint8Array.fromBase64(text);
  } catch {
    return undefined;
  }
}

const importKey = (bytes: Uint8Array<ArrayBuffer>): Promise<CryptoKey> =>
  crypto.subtle.importKey("raw", bytes, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);

/** Refuses credentials in the URL: requests are authenticated by their signature, and URLs reach logs. */
function readUrl(name: string, text: string): string {
  const url = secureUrl(text);
  if (typeof url === "string") rejectConfig(`${name} ${url}`);
  if (url.username || url.password) rejectConfig(`${name} has a user or password: sign instead.`);
  return url.href;
}

const BY_NAME: ReadonlyMap<string, EventKind> = new Map(EVENT_KINDS.map((kind) => [kind, kind]));

/** Throws `misconfigured` for a name that is no kind: a misspelt kind would silently never be sent. */
function readKinds(text: string): ReadonlySet<EventKind> {
  if (text.trim() === "") return new Set(EVENT_KINDS.filter((kind) => kind !== "message"));
  const kinds = text.split(",").map((name) => BY_NAME.get(name.trim()));
  return new Set(
    kinds.map(
      (kind) => kind ?? rejectConfig(`WEBHOOK_EVENTS has a name beside ${EVENT_KINDS.join(", ")}.`),
    ),
  );
}

function rejectConfig(problem: string): never {
  logError("webhooks_misconfigured", { problem });
  throw new HubError("misconfigured", "The server is misconfigured; its log has the details.");
}
