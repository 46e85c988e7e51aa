import { serve } from "dormouse-hubs/server";
import { grpc } from "dormouse-hubs/server/grpc";
import { MeterHub } from "./hub.ts";

export const { Room, Relay, Account, endpoint } = serve([MeterHub], { grpc });
export default endpoint;
