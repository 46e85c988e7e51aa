// Routes of the application's own paths (`serve(hubs, { paths })`).

import type { FeedPath, HubPath, JsonRpcPath } from "../../dispatch/define/hub-paths.ts";
import type { Hubs } from "../../dispatch/define/hub-tables.ts";
import { methodNotAllowed } from "../answer/method-not-allowed.ts";
import { callHub, enterHub } from "../json-rpc/json-rpc-endpoint.ts";
import { readFeed } from "../sse/feeds.ts";
import { preflightRoute } from "./preflight-route.ts";
import type { Route } from "./route.ts";

/** Throws a `TypeError` for a path of a hub that is not served. */
export const hubPathRoutes = (hubs: Hubs, paths: readonly HubPath[]): Route[] =>
  paths.flatMap((one) => {
    if (!hubs.has(one.hub))
      throw new TypeError(`Path "${one.path}": there is no hub "${one.hub}".`);
    const routes = one.kind === "feed" ? feedRoutes(one) : jsonRpcRoutes(one);
    return [...routes, preflightRoute(withSlash(one.path)), otherVerbs(one)].map((row) => ({
      ...row,
      hub: one.hub,
    }));
  });

/** The path with and without a slash at its end, as a hub's own path has both. */
const withSlash = (path: string): string[] => (path.endsWith("/") ? [path] : [path, `${path}/`]);

const jsonRpcRoutes = ({ path }: JsonRpcPath): Route[] => [
  {
    ...{ method: "GET", paths: withSlash(path), cors: false, log: true },
    handler: (call) => enterHub(call.request, call),
  },
  {
    ...{ method: "POST", paths: withSlash(path), cors: true, log: true },
    handler: (call) => callHub(call.request, call),
  },
];

const feedRoutes = (feed: FeedPath): Route[] => [
  {
    ...{ method: "GET", paths: withSlash(feed.path), cors: true, log: true },
    handler: (call) => readFeed(call.request, call, { feed, params: call.params() }),
  },
];

const otherVerbs = ({ kind, path }: HubPath): Route => ({
  ...{ method: "ALL", paths: withSlash(path), cors: true, log: false },
  handler: () => methodNotAllowed("GET", ...(kind === "feed" ? [] : ["POST"])),
});
