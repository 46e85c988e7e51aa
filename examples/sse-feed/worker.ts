import { serve } from "dormouse-hubs/server";
import { feeds, FeedHub } from "./hub.ts";

export const { Room, Relay, Account, endpoint } = serve([FeedHub], { paths: feeds });
export default endpoint;
