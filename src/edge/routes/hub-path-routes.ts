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
    return [...routes, preflightRoute(pathsOf(one)), otherVerbs(one)].map((row) => ({
      ...row,
      hub: one.hub,
    }));
  });

/** The path with and without a slash at its end, as a hub's own path has both. */
export const withSlash = (path: string): string[] =>
  path.endsWith("/") ? [path] : [path, `${path}/`];

const pathsOf = ({ path }: HubPath): string[] => withSlash(anchored(path));

/**
 * Hono anchors a pattern, `:kind{a|b}`, at its first and its last alternative only. A pattern may have braces itself,
 * `:code{[a-z]{2}}`, and ends with its segment.
 */
export const anchored = (path: string): string =>
  path.replaceAll(/\{(?<pattern>.+?)\}(?=\??(?:\/|$))/g, "{(?:$<pattern>)}");

const jsonRpcRoutes = (one: JsonRpcPath): Route[] => [
  {
    ...{ method: "GET", paths: pathsOf(one), cors: false, log: true },
    handler: (call) => enterHub(call.request, call),
  },
  {
    ...{ method: "POST", paths: pathsOf(one), cors: true, log: true },
    handler: (call) => callHub(call.request, call),
  },
];

const feedRoutes = (feed: FeedPath): Route[] => [
  {
    ...{ method: "GET", paths: pathsOf(feed), cors: true, log: true },
    handler: (call) => readFeed(call.request, call, { feed, params: call.params() }),
  },
];

const otherVerbs = (one: HubPath): Route => ({
  ...{ method: "ALL", paths: pathsOf(one), cors: true, log: false },
  handler: () => methodNotAllowed("GET", ...(one.kind === "feed" ? [] : ["POST"])),
});
