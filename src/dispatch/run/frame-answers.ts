// Answers to the calls of one frame: each alone, or all answers to a batch together, when the last one is ready.

import { isDevelopment } from "../../model/environment.ts";
import { HubError } from "../../model/errors.ts";
import type { CallId, Outgoing, Stage } from "../../model/message.ts";
import type { Host } from "../../rooms/object/host.ts";

/** An answer, or a function that makes it at the flush, after all publications of the call have been saved. */
type Answer = Outgoing | (() => Outgoing);

/** Sends the answer to one call. Called once per call; the answer leaves with the next flush. */
export type SendAnswer = (answer: Answer) => void;

/** Context of a failure, for protocols whose error texts depend on it. */
export interface FailedCall {
  /** The method's name as the caller spelled it. */
  readonly target: string;
  readonly stage: Stage;
  /** Whether the hub shows details of internal errors (`showsDetails`). */
  readonly detailed: boolean;
}

/** Whether callers see details of errors: with the hub's `detailedErrors`, and in development. */
export const showsDetails = ({ settings, env }: Pick<Host, "settings" | "env">): boolean =>
  settings.detailedErrors || isDevelopment(env as object);

/** The failure as a message. Details of the error are removed unless the hub shows them. */
export function failure(id: CallId, error: HubError, failed?: FailedCall): Outgoing {
  const { target, stage, detailed } = failed ?? {};
  const hidden = error.detail !== undefined && !detailed;
  const shown = hidden ? new HubError<string>(error.code, error.message) : error;
  if (error.isOwn) shown.isOwn = true;
  return { type: "failure", id, error: shown, ...(target && { target }), ...(stage && { stage }) };
}

/**
 * Returns a function that reserves a place in the batch's answer, in the order of the requests. Once `expected` answers
 * have arrived, in any order, they are sent as one message.
 */
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
