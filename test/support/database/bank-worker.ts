// The worker of test/e2e/database.test.ts, which has a Postgres.

import { serve } from "dormouse-hubs/server";
import { BankHub } from "./bank.ts";

const { Room, Relay, Account, endpoint } = serve([BankHub]);
export { Account, Relay, Room };
export default endpoint;
