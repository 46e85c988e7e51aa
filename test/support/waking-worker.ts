// The worker of e2e/waking.test.ts.

import { serve } from "../../src/server.ts";
import { QuietHub, WakingHub } from "./waking-hub.ts";

const { Room, Relay, Account, endpoint } = serve([WakingHub, QuietHub]);

export { Account, Relay, Room };
export default endpoint;
