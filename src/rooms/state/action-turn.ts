// The effects of one action while it runs: messages, schedules, SQL. They are kept if the action succeeds, else
// dropped.

import { HubError, serverError } from "../../model/errors.ts";
import { givesItems } from "../../model/iterables.ts";
import type { Draft as StateDraft } from "../../model/draft.ts";
import type { PartStorage } from "../../model/stored-values.ts";
import { formatTopic, type Topic } from "../../model/topic.ts";
import { exceeds } from "../../protocols/bytes.ts";
import { toExactJson } from "../../protocols/json.ts";
import type { Draft } from "../rpc/log-entry.ts";
import type { Present } from "../rpc/presence-view.ts";
import type { Outgoing, Scheduled, Turn } from "../rpc/state-rpc.ts";
import type { OutgoingSize } from "./outgoing-messages.ts";

/** The most messages of one action, to its own room and to others together. */
const MESSAGES_AT_MOST = 100;
/** The most bytes of one action's messages to other rooms, as they are stored: a row has 2 MB. */
const ELSEWHERE_BYTES = 1024 * 1024;
/** Bytes that are stored for a message in addition to its JSON, with its id. */
const MESSAGE_OVERHEAD = 400;
/** The most bytes of a scheduled action's arguments. */
export const ARGUMENT_BYTES = 1024;
/** The most bytes of a result, which is stored with its run. */
const RESULT_BYTES = 16 * 1024;

/**
 * SQL that may write without a count of rows: several statements, of which only the last counts, `DROP`, and `OR FAIL`.
 */
const UNCOUNTED = /;\s*\S|\b(?:drop|fail)\b/i;

interface TurnOptions {
  readonly draft: StateDraft<unknown>;
  readonly was: unknown;
  readonly room: Topic;
  readonly now: number;
  readonly key: string;
  readonly ports: TurnPorts;
}

/** The parts of its room that an action uses. */
export interface TurnPorts {
  readonly sql: PartStorage["sql"];
  present(): readonly Present[];
  scheduled(): readonly Scheduled[];
  /** Throws `too_large`, `invalid_request`. */
  checkDraft(draft: Draft): void;
}

export class ActionTurn implements Turn {
  readonly #ports: TurnPorts;
  readonly draft: StateDraft<unknown>;
  readonly was: unknown;
  readonly room: Topic;
  readonly now: number;
  readonly key: string;
  /** Messages to the action's own room. */
  readonly here: Draft[] = [];
  readonly elsewhere: Outgoing[] = [];
  /** Bytes of `elsewhere`, as JSON. */
  #elsewhereBytes = 0;
  readonly scheduling = new Map<string, Scheduled | undefined>();
  /** Whether SQL has written rows. */
  hasWritten = false;
  #isOver = false;

  constructor({ draft, was, room, now, key, ports }: TurnOptions) {
    [this.draft, this.was, this.room] = [draft, was, room];
    [this.now, this.key, this.#ports] = [now, key, ports];
  }

  get present(): readonly Present[] {
    return this.#ports.present();
  }

  get scheduled(): readonly Scheduled[] {
    const before = this.#ports.scheduled();
    const others = before.filter(({ id }) => !this.scheduling.has(id));
    const all = [...others, ...[...this.scheduling.values()].filter((one) => one !== undefined)];
    return all.toSorted((a, b) => a.at - b.at);
  }

  publish(topic: Topic, draft: Draft): void {
    this.#checkOpen();
    this.#ports.checkDraft(draft);
    if (this.here.length + this.elsewhere.length >= MESSAGES_AT_MOST)
      throw new HubError("too_large", `An action sends ${MESSAGES_AT_MOST} messages at most.`);
    if (formatTopic(topic) === formatTopic(this.room)) this.here.push(draft);
    else this.#send({ topic, draft });
  }

  #send(message: Outgoing): void {
    const text = JSON.stringify(message.draft);
    this.#elsewhereBytes += MESSAGE_OVERHEAD + byteLength(text, ELSEWHERE_BYTES);
    if (this.#elsewhereBytes > ELSEWHERE_BYTES)
      throw new HubError(
        "too_large",
        `An action sends ${ELSEWHERE_BYTES} bytes elsewhere at most.`,
      );
    this.elsewhere.push(message);
  }

  /** Size of `elsewhere`. */
  get outgoing(): OutgoingSize {
    return { messages: this.elsewhere.length, bytes: this.#elsewhereBytes };
  }

  schedule(id: string, scheduled: Scheduled | undefined): void {
    this.#checkOpen();
    this.scheduling.set(id, scheduled && asGiven(scheduled));
  }

  sql(query: string, values: readonly SqlStorageValue[]): readonly object[] {
    this.#checkOpen();
    // Before it runs: it may write and then throw, and the action may go on.
    this.hasWritten ||= UNCOUNTED.test(query);
    const rows = this.#ports.sql.exec(query, ...values);
    const all = rows.toArray();
    if (rows.rowsWritten > 0) this.hasWritten = true;
    return all;
  }

  /** Throws once the action has ended: an action that returned a promise may still run code. */
  #checkOpen(): void {
    if (this.#isOver) throw new TypeError("The action has ended.");
  }

  end(): void {
    this.#isOver = true;
  }
}

/** Copies the arguments, because a part of the state is invalid after its draft has ended. Throws `invalid_state`. */
function asGiven(scheduled: Scheduled): Scheduled {
  const text = jsonOf(scheduled.args, "The arguments");
  checkBytes(text, ARGUMENT_BYTES, "arguments");
  const args = JSON.parse(text) as readonly unknown[];
  if (JSON.stringify(args) === text) return { ...scheduled, args };
  throw new HubError("invalid_state", "Scheduled arguments have a bigint that is no number.");
}

/**
 * The result of an action as JSON. Throws a TypeError for a promise, `wrong_kind` for a stream of items, and
 * `invalid_state` if it is no JSON, or too large.
 */
export function resultText(result: unknown, action: string): string {
  if (result === undefined || result === null) return "null";
  checkImmediate(result, action);
  const text = jsonOf(result, "The result");
  checkBytes(text, RESULT_BYTES, "a result");
  return text;
}

function checkImmediate(result: unknown, action: string): void {
  if (isThenable(result)) {
    Promise.resolve(result).catch(() => {});
    throw new TypeError(`The action ${action} returned a promise: an action is synchronous.`);
  }
  if (givesItems(result))
    throw serverError("wrong_kind", `The action ${action} returned a stream of items.`);
}

const isThenable = (value: unknown): value is PromiseLike<unknown> =>
  typeof (value as { then?: unknown }).then === "function";

function jsonOf(value: unknown, name: string): string {
  try {
    return toExactJson(value);
  } catch (error) {
    throw new HubError("invalid_state", `${name} cannot be sent as JSON.`, { cause: error });
  }
}

function checkBytes(text: string, most: number, what: string): void {
  if (exceeds(text, most))
    throw new HubError("invalid_state", `${what} of an action: ${most} bytes are allowed.`);
}

/** Bytes in UTF-8; the exact number only if it may be more than `most`. */
export const byteLength = (text: string, most: number): number =>
  text.length * 3 <= most ? text.length : new TextEncoder().encode(text).byteLength;
