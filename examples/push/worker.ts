import { hubContext, serve, type EndpointEnv } from "dormouse-hubs/server";
import { NewsHub } from "./hub.ts";

export const { Room, Relay, Account, endpoint } = serve([NewsHub]);

export default {
  fetch: endpoint.fetch,
  /** A cron trigger publishes without a token, and without a request over the network. */
  async scheduled(_event, env) {
    await hubContext(env, NewsHub).clients.group("news").published("Good morning");
  },
} satisfies ExportedHandler<EndpointEnv>;
