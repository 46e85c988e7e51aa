// The events of a session, each with its own listeners.

import type { HubError } from "../../model/errors.ts";
import type { Message } from "../model/client-messages.ts";
import type { State } from "../model/client-state.ts";
import { emitter } from "../platform/emitter.ts";
import type { Left, Recovered } from "../scope/scope.ts";

/** `G` is the type of the greeting. */
export const sessionEvents = <G>() => ({
  state: emitter<State>(),
  connected: emitter<G>(),
  recovered: emitter<Recovered>(),
  reload: emitter<{ readonly room: string }>(),
  left: emitter<Left>(),
  message: emitter<Message>(),
  error: emitter<HubError>(),
});

export type SessionEvents<G> = ReturnType<typeof sessionEvents<G>>;
