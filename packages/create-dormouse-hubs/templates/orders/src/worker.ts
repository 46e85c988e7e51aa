import { serve } from "dormouse-hubs/server";
import { orderFeed, OrderHub } from "./orders.ts";

const { Room, Relay, Account, endpoint } = serve([OrderHub], { paths: [orderFeed] });
export { Room, Relay, Account };
export default endpoint;
