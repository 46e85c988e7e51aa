// A hub whose `disconnected` says who is still in the group `hall`.

import * as z from "zod";
import { anyone, hub, method } from "../../src/hub.ts";

interface LeavingClient {
  gone(user: string, present: string[]): void;
}

export const LeavingHub = hub<LeavingClient>("leaving", {
  rooms: { group: { enter: anyone } },
  async disconnected({ clients, group, user }) {
    const present = await group("hall").presence.list();
    await clients.group("door").gone(
      user.id,
      present.filter(({ connections }) => connections > 0).map(({ userId }) => userId),
    );
  },
}).methods({
  join: method([z.string()], ({ group }, name) => group(name).join()),
});
