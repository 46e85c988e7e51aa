import { serve } from "dormouse-hubs/server";
import { ChatHub } from "./chat.ts";

// Static files of page/ come before it: wrangler.toml, [assets].
const { Room, Relay, Account, endpoint } = serve([ChatHub]);
export { Room, Relay, Account };
export default endpoint;
