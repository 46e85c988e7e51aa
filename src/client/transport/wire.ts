// JSON-RPC 2.0 on the client's side: builds the texts that the client sends, and parses the frames that it receives.
// Pure. The server's decoder is in protocols/.

import type { HubError } from "../../model/errors.ts";
import { toJsonInPages } from "../../protocols/json.ts";
import { refusalError } from "../model/refusal.ts";
import type { PresencePage } from "../model/room-presence.ts";

/** Parameters of `$/connected`, the server's first message on every connection. */
export interface Greeting {
  readonly connectionId: string;
  readonly userId: string;
  /** Version of the server. Absent if it is older than 0.2. */
  readonly server?: string;
  /** The interval of the client's pings, in seconds. */
  readonly pingSeconds: number;
}

/** The start of a client's membership in a room, on a socket of its own or on the socket of the whole hub. */
export interface RoomGreeting extends Pick<Greeting, "connectionId" | "userId"> {
  readonly room: string;
  /** The room's newest position, `epoch:offset`. */
  readonly position: string;
  /** All messages after the client's `since` are replayed. False without a `since`, or if it is too old. */
  readonly recovered: boolean;
  /** Number of messages in the replay, which come before any live message of the room. */
  readonly replayed: number;
}

/** Parameters of `$/connected` on a connection to one room. The replay follows immediately. */
export interface Hello extends Greeting, RoomGreeting {
  readonly present: PresencePage;
  /** Whether publications are saved before delivery (`logged`), after it (`behind`), or never (`none`). */
  readonly durability: "logged" | "behind" | "none";
  /** The room's state, if it has one, which replaces a copy; absent if the replay has the changes instead. */
  readonly state?: unknown;
}

/** Any message from the server. Shapes are trusted without validation: the server is part of the same package. */
export interface Frame {
  readonly id?: string | number | null;
  readonly method?: string;
  readonly params?: unknown;
  readonly room?: string;
  readonly position?: string;
  readonly result?: unknown;
  readonly error?: WireError;
}

interface WireError {
  /** JSON-RPC's number. */
  readonly code: number;
  readonly message: string;
  /** The stable name of the error, as in `HubError`. */
  readonly data?: { readonly code?: string; readonly action?: string };
}

/** The messages of one frame, which is one message or an array of them. Throws a SyntaxError. */
export const parseFrame = (text: string): readonly Frame[] =>
  ([] as Frame[]).concat(JSON.parse(text) as Frame | Frame[]);

export const errorOf = ({ code, message, data }: WireError): HubError =>
  refusalError({ code: `${code}`, message, ...data });

interface CallMessage {
  /** Absent: a notification, which gets no response. */
  readonly id: string | undefined;
  readonly method: string;
  readonly args: readonly unknown[];
  readonly idempotencyKey?: string | undefined;
}

/** The text of a call. Omits undefined arguments at the end, which would become `null`. */
export function callText({ id, method, args, idempotencyKey }: CallMessage): string {
  const params = args.slice(0, args.findLastIndex((arg) => arg !== undefined) + 1);
  return text({ id, method, idempotencyKey }, toJsonInPages(params));
}

/** One item of an upload. `stream` is its id in the call's arguments. */
export const itemText = (stream: string, item: unknown): string =>
  text({ method: "$/item" }, `{"stream":"${stream}","item":${toJsonInPages(item)}}`);

/** The end of an upload; with `error` the server's reader fails with this message. */
export const endText = (stream: string, error?: string): string =>
  text({ method: "$/end" }, JSON.stringify({ stream, error }));

export const cancelText = (id: string): string =>
  text({ method: "$/cancelRequest" }, JSON.stringify({ id }));

export const resultText = (id: Frame["id"], result: unknown): string =>
  text({ id }, toJsonInPages(result), "result");

export const errorText = (id: Frame["id"], code: number, message: string): string =>
  text({ id }, JSON.stringify({ code, message }), "error");

export const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error);

/** `params` are JSON already. */
const text = (message: object, params: string, name = "params"): string =>
  `${JSON.stringify({ jsonrpc: "2.0", ...message }).slice(0, -1)},"${name}":${params}}`;

/** Length in UTF-8. */
export const bytesOf = (value: string): number => new TextEncoder().encode(value).length;
