// Preflights of browsers, at the endpoint's own paths and at those of the application.

import { requestedHub } from "../admit/request-target.ts";
import { logForeignOrigin, preflight } from "../answer/cors.ts";
import type { Route } from "./route.ts";

/** Answers every preflight of these paths, and logs those of foreign origins. */
export const preflightRoute = (paths: readonly string[]): Route => ({
  ...{ method: "OPTIONS", paths, cors: false, log: false },
  handler: (call) => {
    logForeignOrigin(call.request, call.env, requestedHub(call.request, call));
    return preflight(call.request, call.env);
  },
});
