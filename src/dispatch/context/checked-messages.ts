// A messenger that refuses messages which the hub does not declare, in development and in tests.

import type { MessageCheck } from "../define/outgoing-check.ts";
import { unsent, type Failures, type Messenger } from "./messenger.ts";

/** Rejects with the error of the check; `failures`, for which the call waits, gets the same rejection. */
export function checkedMessenger(
  messenger: Messenger,
  check: MessageCheck,
  failures: Failures,
): Messenger {
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
