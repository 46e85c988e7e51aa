import { serve } from "dormouse-hubs/server";
import { GreetingHub } from "./greetings.ts";

const { Room, Relay, Account, endpoint } = serve([GreetingHub]);
export { Room, Relay, Account };
export default endpoint;
