// What a hub says, written down instead of sent, for `calling`.

import { HubError } from "../../model/errors.ts";
import { formatTopic } from "../../model/topic.ts";
import type { Messenger } from "../context/call-context.ts";
import type { AnyHub } from "../define/hub-definition.ts";
import { check } from "../define/validate.ts";

/** Something the hub has said. */
export interface Sending {
  /** A topic (`all`, `group:lobby`, `order:42`, `user:alice`), `caller`, or `connection:` and an id. */
  readonly to: string;
  readonly method: string;
  readonly args: readonly unknown[];
  /** The connections left out; the caller's id is `caller`. Absent where nobody is left out. */
  readonly except?: readonly string[];
}

/** The id of the connection that calls. */
export const CALLER = "caller";

/** A voice that only writes down. Clients answer as the test says, and their answers are checked as real ones are. */
export function recording(
  hub: AnyHub,
  sent: Sending[],
  answers: Readonly<Record<string, unknown>>,
): Messenger {
  const schemas = new Map(Object.entries(hub.settings.answers ?? {}));
  const tell = async (id: string, method: string, args: readonly unknown[]) => {
    sent.push({ to: id === CALLER ? CALLER : `connection:${id}`, method, args: args.map(wired) });
  };
  return {
    publish: async (topic, method, args, except) => {
      const omitted = except.length > 0 ? { except } : {};
      sent.push({ to: formatTopic(topic), method, args: args.map(wired), ...omitted });
    },
    tell,
    ask: async (id, method, args) => {
      await tell(id, method, args);
      if (!Object.hasOwn(answers, method))
        throw new HubError("timed_out", `No answer to ${method}; name it in "answers".`);
      return check(schemas.get(method)!, wired(answers[method]), `Answer to ${method}`);
    },
    answers: (method) => schemas.has(method),
  };
}

/** What a value is after the wire, as the type `Wire` says: what JSON makes of it, and bytes stay bytes. */
export function wired(value: unknown): unknown {
  if (typeof value !== "object" || value === null || value instanceof Uint8Array) return value;
  if ("toJSON" in value && typeof value.toJSON === "function") return wired(value.toJSON());
  if (Array.isArray(value)) return value.map(wired);
  if (value instanceof Map) return wired(Object.fromEntries(value));
  return Object.fromEntries(Object.entries(value).map(([key, held]) => [key, wired(held)]));
}
