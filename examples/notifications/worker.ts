import { serve } from "dormouse-hubs/server";
import { NotificationHub } from "./hub.ts";

export const { Room, Relay, Account, endpoint } = serve([NotificationHub]);
export default endpoint;
