// Routes that belong to no hub: REST, metrics, the admin page, and tokens for the demo.

import { devToken } from "../../auth/dev-tokens.ts";
import { GuestRates } from "../../auth/guest-tokens.ts";
import { NO_STORE } from "../answer/cache-headers.ts";
import { adminPage } from "../ops/admin-page.ts";
import { metrics } from "../ops/metrics.ts";
import { restRoutes } from "../rest/rest-router.ts";
import { forService } from "../rest/service-admission.ts";
import type { Route } from "./route.ts";

/** They are for back ends, Prometheus and pages of this origin: no answer needs CORS. */
export function serviceRoutes(): Route[] {
  const guests = new GuestRates();
  const plain = { cors: false, log: false };
  const rest = restRoutes().map(({ path, ...route }) => ({ ...route, paths: [path], ...plain }));
  return [
    {
      method: "POST",
      paths: ["/dev/token"],
      ...plain,
      handler: async ({ request, env }) =>
        Response.json(await devToken(request, env, guests), {
          headers: NO_STORE,
        }),
    },
    {
      method: "ALL",
      paths: ["/admin", "/admin/*"],
      ...plain,
      handler: adminPage,
    },
    {
      method: "GET",
      paths: ["/api/metrics"],
      ...plain,
      handler: (call) => forService(call, ({ tenant }) => metrics(tenant, call.hubs, call)),
    },
    ...rest,
  ];
}
