import { serve } from "dormouse-hubs/server";
import { PriceHub } from "./hub.ts";

export const { Room, Relay, Account, endpoint } = serve([PriceHub]);
export default endpoint;
