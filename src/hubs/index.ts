// The hubs of this worker. A hub that is not listed here is not served: requests for it get `hub_not_found`.

import type { AnyHub, HubPath } from "../hub.ts";
import { AdminHub } from "./admin.ts";
import { AuctionHub } from "./auction.ts";
import { BoardHub } from "./board.ts";
import { CalculatorHub, calculatorPath } from "./calculator.ts";
import { ChatHub } from "./chat.ts";
import { DemoHub } from "./demo.ts";
import { NotificationHub } from "./notifications.ts";
import { OrderHub, orderFeed } from "./orders.ts";
import { PresenceHub } from "./presence.ts";
import { PriceHub } from "./prices.ts";
import { GameHub } from "./tic-tac-toe.ts";
import { UploadHub } from "./uploads.ts";

export const hubs: readonly AnyHub[] = [
  NotificationHub,
  OrderHub,
  ChatHub,
  PresenceHub,
  PriceHub,
  UploadHub,
  AdminHub,
  CalculatorHub,
  AuctionHub,
  GameHub,
  BoardHub,
  DemoHub,
];

/** Paths of the hubs besides `/hubs/{hub}`. */
export const paths: readonly HubPath[] = [calculatorPath, orderFeed];
