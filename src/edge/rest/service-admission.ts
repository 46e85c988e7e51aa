// Admission of a service's request, before its path or body is looked at: authentication, rate limit, revocation.

import { authenticateService, type Service } from "../../auth/service.ts";
import type { AuthEnv } from "../../auth/auth-config.ts";
import { HubError } from "../../model/errors.ts";
import { factsOf } from "../../model/token-rules.ts";
import { accountStub } from "../../rooms/rpc/stubs.ts";
import type { ObjectEnv } from "../../rooms/rpc/object-env.ts";
import { failed } from "./azure-errors.ts";
import type { RateEnv, ServiceRates } from "./service-rate.ts";

export type ServiceEnv = AuthEnv & ObjectEnv & RateEnv;

/** A request on its way to the REST interface. */
export interface ServiceCall {
  readonly request: Request;
  readonly env: ServiceEnv;
  readonly rates: ServiceRates;
}

/**
 * Answers a request for a service that was admitted; every error, of admission or of `work`, is answered with Azure's
 * error document. Never rejects.
 */
export async function forService(
  call: ServiceCall,
  work: (service: Service) => Promise<Response>,
): Promise<Response> {
  try {
    return await work(await admitService(call));
  } catch (error) {
    return failed(error);
  }
}

/**
 * In this order, the cheapest first: signature, rate in this isolate and at its binding, revocation at the account's
 * object. Throws what authentication throws, `forbidden`, `rate_limited`, `token_revoked` or `banned`.
 */
async function admitService({ request, env, rates }: ServiceCall): Promise<Service> {
  const service = await authenticateService(request, env);
  await rates.check(service, env);
  await checkRevoked(service, env);
  return service;
}

/** Only tokens of the issuer name a user, and can be revoked; access keys are rotated instead. */
async function checkRevoked({ user, tenant }: Service, env: ServiceEnv): Promise<void> {
  const fault = user && (await accountStub(env, { tenant, user: user.id }).check(factsOf(user)));
  if (fault) throw new HubError<string>(fault.code, fault.message);
}
