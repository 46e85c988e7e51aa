// Admission of a service's request, before its path or body is read: authentication, rate limit, revocation.

import { authenticateService, type Service } from "../../auth/service.ts";
import type { AuthEnv } from "../../auth/auth-config.ts";
import { checkSetup } from "../../setup/check-setup.ts";
import { isDevelopment } from "../../model/environment.ts";
import { checkAccount } from "../admit/account-check.ts";
import type { Serving } from "../admit/serving.ts";
import { pathBelow } from "../admit/request-target.ts";
import { logRefusal } from "../answer/refusal-log.ts";
import type { ObjectEnv } from "../../rooms/rpc/object-env.ts";
import { failed, type AzureCode } from "./azure-errors.ts";
import type { RateEnv, ServiceRates } from "./service-rate.ts";

export type ServiceEnv = AuthEnv & ObjectEnv & RateEnv;

/** A request on its way to the REST interface. */
export interface ServiceCall extends Pick<Serving, "hubs" | "place" | "prefix" | "waitUntil"> {
  readonly request: Request;
  readonly env: ServiceEnv;
  readonly rates: ServiceRates;
}

/**
 * Admits the service, and answers with the result of `work`. Every error, of admission or of `work`, is answered with
 * Azure's error document; `missing` is its code for a 404. Never rejects.
 */
export async function forService(
  call: ServiceCall,
  work: (service: Service) => Promise<Response>,
  missing?: AzureCode,
): Promise<Response> {
  let service: Service | undefined;
  try {
    service = await admitService(call);
    return await work(service);
  } catch (error) {
    const response = failed(error, missing);
    const isDenied = !service && DENIED.has(response.status);
    if (isDenied || isDevelopment(call.env)) logFailure(call, response, error);
    return response;
  }
}

/**
 * Statuses that are logged: the caller may be a stranger. Other failures are in the logs of the operator's services.
 */
const DENIED: ReadonlySet<number> = new Set([401, 403]);

function logFailure({ request, env, prefix }: ServiceCall, response: Response, error: unknown) {
  const code = response.headers.get("x-dormouse-error") ?? "";
  const hub = pathBelow(request, prefix).split("/hubs/")[1]?.split("/")[0] ?? "";
  const claim = response.headers.get("x-dormouse-claim") ?? undefined;
  logRefusal(request, env, { hub, status: response.status, code, claim, error });
}

/**
 * Checks, the cheapest first: the signature, the rate in this isolate and at the binding, the revocation at the
 * account's object. Throws what authentication throws, `forbidden`, `rate_limited`, `token_revoked` or `banned`.
 */
async function admitService({ request, env, rates, place }: ServiceCall): Promise<Service> {
  checkSetup(env, request.url);
  const service = await authenticateService(request, env);
  await rates.check(service, env);
  // Only an issuer's token names a user, and can be revoked; access keys are rotated instead.
  if (service.user) await checkAccount(service.user, { env, place });
  return service;
}
