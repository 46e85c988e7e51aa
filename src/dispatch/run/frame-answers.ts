// Where the answers of one frame go: each by itself, or a batch's together when the last of them is there.

import { HubError } from "../../model/errors.ts";
import type { CallId, Outgoing, Stage } from "../../model/message.ts";
import type { Connection } from "../../rooms/connection/connection.ts";
import type { Host } from "../../rooms/object/host.ts";

/** An answer, or what makes it at the flush, when all that the call said has been saved. */
export type Answer = Outgoing | (() => Outgoing);

export type Answering = (answer: Answer) => void;

/** What a caller is told beside the error itself. */
export interface Failing {
  /** As the caller named it. */
  readonly target: string;
  readonly stage: Stage;
  /** Whether the hub shows what was behind an error. */
  readonly detailed: boolean;
}

export function failure(id: CallId, error: HubError, failing?: Failing): Outgoing {
  const { target, stage, detailed } = failing ?? {};
  const hidden = error.detail !== undefined && !detailed;
  const shown = hidden ? new HubError<string>(error.code, error.message) : error;
  return { type: "failure", id, error: shown, ...(target && { target }), ...(stage && { stage }) };
}

export const singly =
  (host: Host, connection: Connection): Answering =>
  (answer) =>
    host.send(connection, answer);

/** Gives each of a batch's requests that want an answer its place; when all are there, they go in one array. */
export function together(host: Host, connection: Connection, expected: number): () => Answering {
  const answers: Answer[] = [];
  let [places, missing] = [0, expected];
  const send = () =>
    host.send(connection, () => ({
      type: "batch",
      answers: answers.map((one) => (typeof one === "function" ? one() : one)),
    }));
  return () => {
    const place = places++;
    return (answer) => {
      answers[place] = answer;
      if (--missing === 0) send();
    };
  };
}
