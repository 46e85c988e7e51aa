// The worker of project "workerd-extra": everything src/worker.ts serves, and hubs that only tests need. Test files
// named *.extra.test.ts run against it.

import { verifyToken, type AuthEnv } from "../../src/auth/authenticate.ts";
import { dispatcher } from "../../src/dispatch/dispatcher.ts";
import { tablesOf } from "../../src/dispatch/tables.ts";
import { endpoint, type EndpointEnv } from "../../src/edge/app.ts";
import { hubs } from "../../src/hubs/index.ts";
import { RoomObject } from "../../src/rooms/room.ts";
import { testHubs } from "./hubs.ts";

const served = tablesOf([...hubs, ...testHubs]);

const receiver = dispatcher({
  hubs: served,
  verify: (token, env) => verifyToken(token, env as AuthEnv),
});

export class Room extends RoomObject<EndpointEnv> {
  constructor(ctx: DurableObjectState, env: EndpointEnv) {
    super(ctx, env, receiver);
  }
}

export default endpoint(served);
