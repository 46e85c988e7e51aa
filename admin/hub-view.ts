// One hub: its figures, its rooms, its users, and limits that were hit.

import { limitsPanel } from "./limits.ts";
import { chartsPanel } from "./hubs-view.ts";
import { roomsPanel } from "./rooms.ts";
import { userPanel } from "./users.ts";
import type { Admin, View } from "./view.ts";

export const hubView = (admin: Admin, hub: string): View => [
  chartsPanel(admin, (other) => other === hub),
  roomsPanel(admin, hub),
  userPanel(admin, hub),
  limitsPanel(admin, hub),
];
