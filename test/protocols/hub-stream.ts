// A SignalR connection as its codec sees it: frames in order, each with the rest of the one before.

import { vi } from "vitest";
import type { Incoming } from "../../src/model/message.ts";
import { LIMITS, type Limits } from "../../src/model/options.ts";
import type { Protocol } from "../../src/protocols/protocol.ts";

type Frame = string | ArrayBuffer;

/** The decoded messages, a broken one as its code and detail; and the bytes that await their end. */
export interface Heard {
  readonly messages: unknown[];
  readonly waiting: number;
}

export function hear(protocol: Protocol, frames: Frame[], limits: Partial<Limits> = {}): Heard {
  const messages: unknown[] = [];
  let rest: string | Uint8Array | undefined;
  for (const frame of frames) {
    const received = protocol.decode(frame, { ...LIMITS, ...limits }, rest);
    messages.push(...received.messages.map(shown));
    rest = received.rest;
    if (received.messages.at(-1)?.type === "broken") break;
  }
  return { messages, waiting: rest?.length ?? 0 };
}

const shown = (message: Incoming): unknown =>
  message.type === "broken" ? [message.error.code, message.error.detail] : message;

/** Bytes that are copied or searched meanwhile. */
export function workOf(run: () => void): number {
  const bytes = Object.getPrototypeOf(Uint8Array.prototype) as Record<string, Method>;
  let work = 0;
  const spies = ["set", "slice", "includes", "indexOf", "lastIndexOf"].map((name) => {
    const plain = bytes[name]!;
    return vi.spyOn(bytes, name).mockImplementation(function (this: Uint8Array, ...args) {
      const from = name === "indexOf" || name === "includes" ? Number(args[1] ?? 0) : 0;
      work += name === "set" ? (args[0] as Uint8Array).length : this.length - from;
      return plain.apply(this, args);
    });
  });
  run();
  for (const spy of spies) spy.mockRestore();
  return work;
}

type Method = (this: Uint8Array, ...args: unknown[]) => unknown;

/** The guarantees that the dispatcher relies on, for any input. */
export function isWellFormed(message: Incoming): boolean {
  switch (message.type) {
    case "invocation":
      return (
        typeof message.target === "string" &&
        Array.isArray(message.args) &&
        (message.id === undefined ? message.streaming === false : isName(message.id)) &&
        (message.streamIds === undefined ||
          (message.streamIds.length > 0 && message.streamIds.every((id) => typeof id === "string")))
      );
    case "item":
      return isName(message.stream) && message.item !== undefined;
    case "completed":
      return isName(message.id) && (message.error === undefined || message.result === undefined);
    case "cancel":
      return isName(message.id);
    case "end":
      return isName(message.stream) && message.error !== undefined;
    case "ack":
    case "sequence":
      return Number.isSafeInteger(message.sequence) && message.sequence >= 0;
    case "ping":
    case "close":
      return true;
    case "broken":
      return isExplained(message);
    default:
      return false;
  }
}

const isName = (name: unknown): boolean => typeof name === "string" && name.length > 0;

/** A known code, and a detail in .NET's form. */
const isExplained = ({ error }: Incoming & { type: "broken" }): boolean =>
  ["malformed", "too_large", "too_deep"].includes(error.code) &&
  error.detail?.startsWith("InvalidDataException: ") === true;

export const utf8 = (text: string): ArrayBuffer => buffer(new TextEncoder().encode(text));

export const buffer = (bytes: ArrayLike<number>): ArrayBuffer => Uint8Array.from(bytes).buffer;

/** One frame cut into two. */
export const cut = (frame: ArrayBuffer, at: number): ArrayBuffer[] => [
  frame.slice(0, at),
  frame.slice(at),
];

/** Whether decoding never throws, gives well-formed messages only, and ends at a broken one. */
export function survives(protocol: Protocol, frames: Frame[]): boolean {
  let rest: string | Uint8Array | undefined;
  return frames.every((frame) => {
    const received = protocol.decode(frame, LIMITS, rest);
    rest = received.rest;
    const broken = received.messages.findIndex(({ type }) => type === "broken");
    const isLast = broken === -1 || broken === received.messages.length - 1;
    return (
      isLast && received.messages.every(isWellFormed) && (rest?.length ?? 0) <= LIMITS.messageBytes
    );
  });
}
