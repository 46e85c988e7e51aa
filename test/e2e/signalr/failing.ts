// Calls that fail, and the words of ASP.NET Core for each (docs/design/signalr-wire.md#er1).

import { Subject } from "@microsoft/signalr";
import type { Guest } from "./connections.ts";

/** A call that fails. `detail` is what only a hub with `detailedErrors` says in addition. */
export interface Failing {
  readonly what: string;
  readonly call: (one: Guest) => Promise<unknown>;
  readonly error: string;
  readonly detail?: string;
}

const UNBINDABLE =
  "Error binding arguments. Make sure that the types of the provided values match the types of the hub method being invoked.";

/** A call of `Sum`, whose stream is given what `give` gives it. */
export function uploading(give: (subject: Subject<unknown>) => void) {
  return (one: Guest): Promise<unknown> => {
    const subject = new Subject<unknown>();
    const sum = one.invoke("Sum", subject);
    give(subject);
    return sum;
  };
}

export const FAILING: readonly Failing[] = [
  {
    what: "an unknown method",
    call: (one) => one.invoke("Nope"),
    error:
      "Failed to invoke 'Nope' due to an error on the server. HubException: Method does not exist.",
  },
  {
    what: "a stream of an unknown method",
    call: (one) => one.items("Nope"),
    error:
      "Failed to invoke 'Nope' due to an error on the server. HubException: Method does not exist.",
  },
  {
    what: "what every object has",
    call: (one) => one.invoke("constructor"),
    error:
      "Failed to invoke 'constructor' due to an error on the server. HubException: Method does not exist.",
  },
  {
    what: "too few arguments",
    call: (one) => one.invoke("Add", 1),
    error: "Failed to invoke 'Add' due to an error on the server.",
    detail: " InvalidDataException: Invocation provides 1 argument(s) but target expects 2.",
  },
  {
    what: "too many arguments",
    call: (one) => one.invoke("Add", 1, 2, 3),
    error: "Failed to invoke 'Add' due to an error on the server.",
    detail: " InvalidDataException: Invocation provides 3 argument(s) but target expects 2.",
  },
  {
    what: "an argument of another type",
    call: (one) => one.invoke("Add", 1, "two"),
    error: "Failed to invoke 'Add' due to an error on the server.",
    detail: ` InvalidDataException: ${UNBINDABLE} Argument 2: Invalid input: expected number, received string`,
  },
  {
    what: "an error meant for the caller",
    call: (one) => one.invoke("Fail", "no tea"),
    error: "An unexpected error occurred invoking 'Fail' on the server. HubException: no tea",
  },
  {
    what: "an error of the hub's code, in the caller's spelling",
    call: (one) => one.invoke("crASH"),
    error: "An unexpected error occurred invoking 'crASH' on the server.",
    detail: " TypeError: a secret of the server",
  },
  {
    what: "a method that is not for this user",
    call: (one) => one.invoke("Secret"),
    error: "Failed to invoke 'Secret' because user is unauthorized",
  },
  {
    what: "a stream that is invoked",
    call: (one) => one.invoke("Counter", 1, 0),
    error:
      "The client attempted to invoke the streaming 'Counter' method with a non-streaming invocation.",
  },
  {
    what: "a method that is streamed",
    call: (one) => one.items("Echo", 1),
    error:
      "The client attempted to invoke the non-streaming 'Echo' method with a streaming invocation.",
  },
  {
    what: "a stream that is no argument",
    call: (one) => one.invoke("Add", 1, 2, new Subject()),
    error:
      "An unexpected error occurred invoking 'Add' on the server. HubException: Client sent 1 stream(s), Hub method expects 0.",
  },
  {
    what: "a stream that is missing",
    call: (one) => one.invoke("Sum"),
    error:
      "An unexpected error occurred invoking 'Sum' on the server. HubException: Client sent 0 stream(s), Hub method expects 1.",
  },
  {
    what: "no stream where one was promised",
    call: (one) => one.items("Empty"),
    error:
      "The value returned by the streaming method 'Empty' is not a ChannelReader<> or IAsyncEnumerable<>.",
  },
  {
    what: "an error in place of a stream",
    call: (one) => one.items("Refuses", "no tea"),
    error: "An unexpected error occurred invoking 'Refuses' on the server. HubException: no tea",
  },
  {
    what: "an error meant for the caller while streaming",
    call: (one) => one.items("Breaks", "no more tea"),
    error: "An error occurred on the server while streaming results. HubException: no more tea",
  },
  {
    what: "an error of the hub's code while streaming",
    call: (one) => one.items("Breaks", ""),
    error: "An error occurred on the server while streaming results.",
    detail: " TypeError: a secret of the server",
  },
  {
    what: "an upload that its client ends with an error",
    call: uploading((subject) => subject.error(new Error("out of sensors"))),
    error:
      "An unexpected error occurred invoking 'Sum' on the server. HubException: out of sensors",
  },
];
