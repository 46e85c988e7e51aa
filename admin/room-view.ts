// One room: its figures, its present users, its messages, and the operations of an operator.

import { limitsPanel } from "./limits.ts";
import { membersPanel } from "./members.ts";
import { messagesPanel } from "./messages.ts";
import { publishPanel } from "./publish.ts";
import { factsPanel } from "./facts.ts";
import { statePanel } from "./state.ts";
import type { Admin, View } from "./view.ts";

export interface OneRoom {
  readonly hub: string;
  /** A topic: `group:lobby`. */
  readonly room: string;
}

export function roomView(admin: Admin, hub: string, room: string): View {
  const one = { hub, room };
  return [
    factsPanel(admin, one),
    membersPanel(admin, one),
    messagesPanel(admin, one),
    publishPanel(admin, one),
    statePanel(admin, one),
    limitsPanel(admin, hub),
  ];
}
