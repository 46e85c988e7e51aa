import { serve } from "dormouse-hubs/server";
import { ChatHub } from "./hub.ts";

export const { Room, Relay, Account, endpoint } = serve([ChatHub]);
export default endpoint;
