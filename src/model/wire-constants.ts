// Constants of the wire protocols that server and browser client share. Separate from options.ts, so that pages do not
// load the server's limits.

/**
 * The heartbeat of both protocols: SignalR's JSON ping. Durable Objects answer exactly this text without waking
 * (`setWebSocketAutoResponse`).
 */
export const PING = '{"type":6}\u001e';

/** Seconds between heartbeats, until the server announces another interval. */
export const PING_SECONDS = 15;

/** The most bytes of one frame to the server. SignalR's own default; OWASP advises 64 KiB at most. */
export const MESSAGE_BYTES = 32 * 1024;

/** The most messages in one frame to the server: each costs a dispatch. */
export const MESSAGES_PER_FRAME = 100;

/** The most characters of an idempotency key, in every protocol: code points, as JSON Schema counts them. */
export const MAX_IDEMPOTENCY_KEY = 256;

export const isIdempotencyKey = (value: unknown): value is string =>
  typeof value === "string" && value !== "" && [...value].length <= MAX_IDEMPOTENCY_KEY;

/** Characters that a stream's reader takes between two reports of it from worker to relay. */
export const REPORT_EACH = 64 * 1024;

/** Milliseconds after which the worker answers a long poll for which no frame has come; its client polls again. */
export const POLL_MS = 90_000;

/** Longest pause between two polls of a live client, in milliseconds; ASP.NET's `DisconnectTimeout`. */
export const BETWEEN_POLLS_MS = 15_000;

/** Close code from relay to worker: another poll has replaced this one, and gets the unconfirmed frames. */
export const POLL_REPLACED = 4000;

/** Close code for a poll whose connection has ended: its last frame is a Close. 1000 confirms the answered frames. */
export const POLL_ENDED = 4002;
