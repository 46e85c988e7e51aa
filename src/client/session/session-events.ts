// The events of a session, each with its own listeners.

import type { HubError } from "../../model/errors.ts";
import type { Message } from "../model/client-messages.ts";
import type { State } from "../model/client-state.ts";
import { emitter } from "../platform/emitter.ts";
import type { Left, Recovered } from "../scope/scope.ts";

/**
 * `G` is the type of the greeting. After a close there are no events, except those about it, even if a listener of an
 * earlier event closes.
 */
export const sessionEvents = <G>(isOpen: () => boolean) => ({
  state: emitter<State>(),
  connected: emitter<G>(isOpen),
  recovered: emitter<Recovered>(isOpen),
  reload: emitter<{ readonly room: string }>(isOpen),
  left: emitter<Left>(isOpen),
  message: emitter<Message>(isOpen),
  error: emitter<HubError>(),
});

export type SessionEvents<G> = ReturnType<typeof sessionEvents<G>>;
