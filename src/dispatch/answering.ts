// Where the answers of one frame go: each by itself, or a batch's together when the last of them is there.

import type { HubError } from "../model/errors.ts";
import type { CallId, Outgoing } from "../model/message.ts";
import type { Connection } from "../rooms/connection.ts";
import type { Host } from "../rooms/receiver.ts";

/** An answer, or what makes it at the flush, when all that the call said has been saved. */
export type Answer = Outgoing | (() => Outgoing);

export type Answering = (answer: Answer) => void;

export const failure = (id: CallId, error: HubError): Outgoing => ({ type: "failure", id, error });

export const singly =
  (host: Host, connection: Connection): Answering =>
  (answer) =>
    host.send(connection, answer);

/** Collects as many answers as the batch has requests that want one. */
export function together(host: Host, connection: Connection, expected: number): Answering {
  const answers: Answer[] = [];
  return (answer) => {
    answers.push(answer);
    if (answers.length === expected)
      host.send(connection, () => ({
        type: "batch",
        answers: answers.map((one) => (typeof one === "function" ? one() : one)),
      }));
  };
}
