// Answers of one frame's calls: each by itself, or those of a batch together once the last of them is there.

import { HubError } from "../../model/errors.ts";
import type { CallId, Outgoing, Stage } from "../../model/message.ts";

/** An answer, or a function that makes it at the flush, when everything that the call published has been saved. */
export type Answer = Outgoing | (() => Outgoing);

export type SendAnswer = (answer: Answer) => void;

/** What a caller gets beside the error itself. */
export interface FailedCall {
  /** As the caller named it. */
  readonly target: string;
  readonly stage: Stage;
  /** Whether the hub shows details of internal errors. */
  readonly detailed: boolean;
}

export function failure(id: CallId, error: HubError, failed?: FailedCall): Outgoing {
  const { target, stage, detailed } = failed ?? {};
  const hidden = error.detail !== undefined && !detailed;
  const shown = hidden ? new HubError<string>(error.code, error.message) : error;
  return { type: "failure", id, error: shown, ...(target && { target }), ...(stage && { stage }) };
}

/** Gives each of a batch's requests that want an answer its place; once all are there, they go in one array. */
export function together(send: SendAnswer, expected: number): () => SendAnswer {
  const answers: Answer[] = [];
  let [places, missing] = [0, expected];
  const sendAll = () =>
    send(() => ({
      type: "batch",
      answers: answers.map((one) => (typeof one === "function" ? one() : one)),
    }));
  return () => {
    const place = places++;
    return (answer) => {
      answers[place] = answer;
      if (--missing === 0) sendAll();
    };
  };
}
