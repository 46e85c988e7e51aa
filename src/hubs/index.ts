// The hubs of this worker. A hub that is not listed here is not served: requests for it get `hub_not_found`.

import type { AnyHub } from "../hub.ts";
import { AdminHub } from "./admin.ts";
import { ChatHub } from "./chat.ts";
import { NotificationHub } from "./notifications.ts";
import { OrderHub } from "./orders.ts";
import { PresenceHub } from "./presence.ts";
import { PriceHub } from "./prices.ts";
import { UploadHub } from "./uploads.ts";

export const hubs: readonly AnyHub[] = [
  NotificationHub,
  OrderHub,
  ChatHub,
  PresenceHub,
  PriceHub,
  UploadHub,
  AdminHub,
];
