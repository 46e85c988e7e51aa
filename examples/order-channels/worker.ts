import { serve } from "dormouse-hubs/server";
import { OrderHub } from "./hub.ts";

export const { Room, Relay, Account, endpoint } = serve([OrderHub]);
export default endpoint;
