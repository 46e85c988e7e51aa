// The record of `calling`: the messages of a hub, which are not sent, and its work in the background.

import { HubError } from "../../model/errors.ts";
import { formatTopic } from "../../model/topic.ts";
import type { ClientCall } from "../../model/audiences.ts";
import { encodeParams } from "../../protocols/json.ts";
import { checkDraft } from "../../rooms/delivery/outbox.ts";
import { checkedMessenger } from "../context/checked-messages.ts";
import { unsent, type Failures, type Messenger } from "../context/messenger.ts";
import type { AnyHub } from "../define/hub-definition.ts";
import { messageCheckOf } from "../define/outgoing-check.ts";
import { envOf, promiseOf, type Runtime } from "../define/runtime.ts";
import { checkAnswer } from "../define/validate.ts";

/** A message that the hub sent. */
export interface Sending {
  /** A topic (`all`, `group:lobby`, `order:42`, `user:alice`), `caller`, or `connection:` and an id. */
  readonly to: string;
  /** The client method, as hub code spells it. */
  readonly method: string;
  /** As clients receive them: a Date is a string. */
  readonly args: readonly unknown[];
  /** Ids of excluded connections; the caller's id is `caller`. Absent if none is excluded. */
  readonly except?: readonly string[];
}

/** The connection id of the caller. */
export const CALLER = "caller";

/**
 * A messenger that adds every message to `sent`. Clients return the results in `answers`, which are validated as those
 * of real clients are. `ask` rejects with `invalid_arguments` for an invalid result, and `timed_out` for a missing one.
 * A message that the hub does not declare is refused with `invalid_message`. `failures` gets what could not be sent.
 */
export function recordingMessenger(record: Recording, failures: Failures): Messenger {
  const messenger = recorder(record, failures);
  const declared = messageCheckOf({ hub: record.hub, isTested: true }, {});
  return declared ? checkedMessenger(messenger, declared, failures) : messenger;
}

interface Recording {
  readonly hub: AnyHub;
  readonly sent: Sending[];
  readonly answers: { readonly [method: string]: unknown };
}

function recorder({ hub, sent, answers }: Recording, failures: Failures): Messenger {
  const schemas = new Map(Object.entries(hub.settings.answers ?? {}));
  const add = (to: string, { target: method, args, except }: ClientCall) => {
    try {
      checkDraft({ target: method, ...encodeParams(args) }, Infinity);
    } catch (error) {
      throw unsent(failures, error);
    }
    sent.push({ to, method, args: args.map(toWire), ...(except.length > 0 && { except }) });
  };
  const tell = async (id: string, target: string, args: readonly unknown[]) =>
    add(id === CALLER ? CALLER : `connection:${id}`, { target, args, except: [] });
  return {
    publish: async (topic, call) => add(formatTopic(topic), call),
    tell,
    ask: async (id, method, args) => {
      await tell(id, method, args);
      if (!Object.hasOwn(answers, method))
        throw new HubError("timed_out", `No answer to ${method}; name it in "answers".`);
      const name = () => `Answer to ${method}`;
      return checkAnswer(schemas.get(method)!, toWire(answers[method]), { name });
    },
    answers: (method) => schemas.has(method),
  };
}

/** A runtime that adds the promises of `waitUntil` to `background`. One that rejects is not unhandled. */
export const recordingRuntime = (env: object, background: Promise<unknown>[]): Runtime => ({
  env: envOf({ env }),
  waitUntil(work) {
    const promise = promiseOf(work);
    promise.catch(() => {});
    background.push(promise);
  },
});

/**
 * The value that a receiver gets, which the type `Wire` describes: encoded as JSON and decoded again, but bytes remain
 * bytes, and members that are undefined remain as well.
 */
export function toWire(value: unknown): unknown {
  if (typeof value === "number") return Number.isFinite(value) ? value : null;
  if (typeof value === "function" || typeof value === "symbol") return undefined;
  if (typeof value !== "object" || value === null || value instanceof Uint8Array) return value;
  if ("toJSON" in value && typeof value.toJSON === "function") return toWire(value.toJSON());
  if (Array.isArray(value)) return value.map(toWire);
  if (value instanceof Map) return toWire(Object.fromEntries(value));
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, toWire(member)]));
}
