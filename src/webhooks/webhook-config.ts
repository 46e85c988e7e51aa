// What the environment says about webhooks, checked as a whole: a gap refuses whoever would connect.

import { byValues, secureUrl } from "../model/environment.ts";
import { HubError } from "../model/errors.ts";
import { logError } from "../model/logger.ts";

export interface WebhookEnv {
  /** Where events go: https, or http on this machine. Absent: nothing is kept and nothing is sent. */
  WEBHOOK_URL?: string;
  /** Signs every request: `whsec_` and 24–64 bytes in base64, or a text of 32 bytes or more. */
  WEBHOOK_SECRET?: string;
  /** Kinds, separated by commas. Absent: all but `message`. */
  WEBHOOK_EVENTS?: string;
  /** Asked before anybody connects. Absent: nobody is. */
  WEBHOOK_CONNECT_URL?: string;
}

export const EVENT_KINDS = ["connected", "disconnected", "joined", "left", "message"] as const;

export type EventKind = (typeof EVENT_KINDS)[number];

/** Where signed requests go. */
export interface Destination {
  readonly url: string;
  readonly key: Promise<CryptoKey>;
}

export interface Webhooks {
  /** Absent: no events. */
  readonly events?: Destination & { readonly kinds: ReadonlySet<EventKind> };
  /** Absent: nobody is asked. */
  readonly connect?: Destination;
}

/** The same for those who were let in already: without webhooks, where they are misconfigured. */
export function webhooksOr(none: Webhooks, env: WebhookEnv): Webhooks {
  try {
    return readWebhooks(env);
  } catch {
    return none; // The log says why.
  }
}

const VARIABLES = [
  "WEBHOOK_URL",
  "WEBHOOK_SECRET",
  "WEBHOOK_EVENTS",
  "WEBHOOK_CONNECT_URL",
] as const satisfies readonly (keyof WebhookEnv)[];

/** Throws `misconfigured`; a log line names the variable and not its value. */
export const readWebhooks = byValues<WebhookEnv, Webhooks>(VARIABLES, check);

function check({
  WEBHOOK_URL: url,
  WEBHOOK_SECRET: secret,
  WEBHOOK_EVENTS: kinds,
  WEBHOOK_CONNECT_URL: connectUrl,
}: WebhookEnv): Webhooks {
  if (!url && !connectUrl) return {};
  if (!secret) misconfigured("WEBHOOK_SECRET is missing.");
  const key = importKey(readSecret(secret));
  return {
    ...(url && {
      events: { url: readUrl("WEBHOOK_URL", url), key, kinds: readKinds(kinds ?? "") },
    }),
    ...(connectUrl && { connect: { url: readUrl("WEBHOOK_CONNECT_URL", connectUrl), key } }),
  };
}

const PREFIX = "whsec_";
/** What the specification asks of its own form … */
const SECRET_BYTES = { least: 24, most: 64 };
/** … and RFC 7518 §3.2 of any key of this hash. */
const TEXT_BYTES = 32;

function readSecret(secret: string): Uint8Array<ArrayBuffer> {
  if (secret.startsWith(PREFIX)) return readBase64(secret.slice(PREFIX.length));
  const bytes = Uint8Array.from(new TextEncoder().encode(secret));
  if (bytes.length < TEXT_BYTES) misconfigured(`WEBHOOK_SECRET is under ${TEXT_BYTES} bytes.`);
  return bytes;
}

function readBase64(text: string): Uint8Array<ArrayBuffer> {
  const bytes = decode(text);
  const { least, most } = SECRET_BYTES;
  if (!bytes || bytes.length < least || bytes.length > most)
    misconfigured(`WEBHOOK_SECRET is not whsec_ and ${least}–${most} bytes in base64.`);
  return bytes;
}

function decode(text: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    return Uint8Array.fromBase64(text);
  } catch {
    return undefined;
  }
}

const importKey = (bytes: Uint8Array<ArrayBuffer>): Promise<CryptoKey> =>
  crypto.subtle.importKey("raw", bytes, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);

function readUrl(name: string, text: string): string {
  const url = secureUrl(text);
  if (typeof url === "string") misconfigured(`${name} ${url}`);
  if (url.username || url.password) misconfigured(`${name} has a user or password: sign instead.`);
  return url.href;
}

const BY_NAME: ReadonlyMap<string, EventKind> = new Map(EVENT_KINDS.map((kind) => [kind, kind]));

function readKinds(text: string): ReadonlySet<EventKind> {
  if (text.trim() === "") return new Set(EVENT_KINDS.filter((kind) => kind !== "message"));
  const kinds = text.split(",").map((name) => BY_NAME.get(name.trim()));
  return new Set(
    kinds.map(
      (kind) =>
        kind ?? misconfigured(`WEBHOOK_EVENTS has a name beside ${EVENT_KINDS.join(", ")}.`),
    ),
  );
}

function misconfigured(problem: string): never {
  logError("webhooks_misconfigured", { problem });
  throw new HubError("misconfigured", "The server is misconfigured; its log has the details.");
}
