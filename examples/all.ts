// All examples in one worker, as the tests run them. Each folder's worker.ts is a worker of its own.

import { jsonRpc, serve } from "dormouse-hubs/server";
import { grpc } from "dormouse-hubs/server/grpc";
import { MeterHub } from "./grpc/hub.ts";
import { CalculatorHub } from "./json-rpc/hub.ts";
import { NotificationHub } from "./notifications/hub.ts";
import { OrderHub } from "./order-channels/hub.ts";
import { ChatHub } from "./presence-chat/hub.ts";
import { PriceHub } from "./price-streams/hub.ts";
import { NewsHub } from "./push/hub.ts";
import { feeds, FeedHub } from "./sse-feed/hub.ts";

export const { Room, Relay, Account, endpoint } = serve(
  [MeterHub, CalculatorHub, NotificationHub, OrderHub, ChatHub, PriceHub, NewsHub, FeedHub],
  { paths: [jsonRpc("/jsonrpc", CalculatorHub), ...feeds], grpc },
);
export default endpoint;
