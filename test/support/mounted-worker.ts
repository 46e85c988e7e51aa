// An application of its own that mounts the endpoint at a path, and sets a cookie when a client negotiates: as
// docs/worker.md shows it. What it saw of each request is at /seen.

import { Hono } from "hono";
import { getCookie, setCookie } from "hono/cookie";
import { serve, type EndpointEnv } from "../../src/server.ts";
import { signalrHubs } from "./signalr-hubs.ts";

const { Room, Relay, Account, endpoint } = serve(signalrHubs);

const app = new Hono<{ Bindings: EndpointEnv }>();
const seen: object[] = [];

app.use("/realtime/hubs/*", async (context, next) => {
  const { method, path } = context.req;
  seen.push({ method, path, cookie: getCookie(context, "affinity") });
  await next();
  // An upgrade's headers are immutable, so that cookies are set where the client negotiates.
  if (path.endsWith("/negotiate")) setCookie(context, "affinity", "a1", { httpOnly: true });
});
app.get("/seen", (context) => context.json(seen.splice(0)));
app.route("/realtime", endpoint);

export { Account, Relay, Room };
export default app;
