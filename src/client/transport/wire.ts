// JSON-RPC as a client speaks it: texts to send, and frames taken apart. Pure; what servers decode is in protocols/.

import { HubError } from "../../model/errors.ts";
import { encodeParams, toJson } from "../../protocols/json.ts";
import type { PresencePage } from "../scope/room-presence.ts";

/** What `$/connected` says of a connection, whatever it came for. */
export interface Greeting {
  readonly connectionId: string;
  readonly userId: string;
  readonly pingSeconds: number;
}

/** The same of one that came for a room. */
export interface Hello extends Greeting {
  readonly room: string;
  readonly position: string;
  /** Everything after the position the client named is about to be replayed. */
  readonly recovered: boolean;
  readonly replayed: number;
  readonly present: PresencePage;
  readonly durability: "logged" | "behind" | "none";
}

/** Anything the server may say. It is our own server, so shapes are believed. */
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
  readonly code: number;
  readonly message: string;
  readonly data?: { readonly code?: string };
}

/** A frame holds one message or an array of them. Throws a SyntaxError. */
export const framesIn = (text: string): readonly Frame[] =>
  ([] as Frame[]).concat(JSON.parse(text) as Frame | Frame[]);

export const errorOf = ({ code, message, data }: WireError): HubError =>
  new HubError<string>(data?.code ?? String(code), message);

interface Called {
  /** Absent: nobody waits for an answer. */
  readonly id: string | undefined;
  readonly method: string;
  readonly args: readonly unknown[];
  readonly idempotencyKey: string | undefined;
}

/** Arguments left out at the end stay out: `null` would be a value. */
export function callText({ id, method, args, idempotencyKey }: Called): string {
  const given = args.slice(0, args.findLastIndex((arg) => arg !== undefined) + 1);
  const beside = Object.entries({ id, idempotencyKey }).flatMap(([name, value]) =>
    value === undefined ? [] : `,"${name}":${JSON.stringify(value)}`,
  );
  return text(method, encodeParams(given).params, beside.join(""));
}

export const itemText = (stream: string, item: unknown): string =>
  text("$/item", `{"stream":"${stream}","item":${toJson(item)}}`);

export const endText = (stream: string, error?: string): string =>
  text("$/end", JSON.stringify({ stream, error }));

export const cancelText = (id: string): string => text("$/cancelRequest", JSON.stringify({ id }));

export const resultText = (id: Frame["id"], result: unknown): string =>
  `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":${toJson(result)}}`;

export const errorText = (id: Frame["id"], code: number, message: string): string =>
  JSON.stringify({ jsonrpc: "2.0", id, error: { code, message } });

const text = (method: string, params: string, beside = ""): string =>
  `{"jsonrpc":"2.0","method":${JSON.stringify(method)},"params":${params}${beside}}`;

export const bytesOf = (sent: string): number => new TextEncoder().encode(sent).length;
