// A messenger that refuses messages which the hub does not declare, in development and in tests.

import type { ClientCall } from "../../model/audiences.ts";
import type { Topic } from "../../model/topic.ts";
import type { MessageCheck } from "../define/outgoing-check.ts";
import { unsent, type Failures } from "./messenger.ts";

interface Sender {
  publish(topic: Topic, call: ClientCall): Promise<void>;
  tell(connectionId: string, target: string, args: readonly unknown[]): Promise<void>;
  ask(connectionId: string, target: string, args: readonly unknown[]): Promise<unknown>;
}

/** Rejects with the error of the check; `failures`, for which the call waits, gets the same rejection. */
export function checkedMessenger<M extends Sender>(
  messenger: M,
  check: MessageCheck,
  failures: Failures,
): M {
  const refused = (target: string, args: readonly unknown[]): Promise<never> | undefined => {
    try {
      check(target, args);
      return undefined;
    } catch (error) {
      return Promise.reject(unsent(failures, error));
    }
  };
  return {
    ...messenger,
    publish: (topic, call) => refused(call.target, call.args) ?? messenger.publish(topic, call),
    tell: (id, target, args) => refused(target, args) ?? messenger.tell(id, target, args),
    ask: (id, target, args) => refused(target, args) ?? messenger.ask(id, target, args),
  };
}
