// `backend`: a hub as a service uses it, to publish, and to manage its rooms, users and connections.

import type { AnyHub } from "../../dispatch/define/hub-definition.ts";
import type { BackendOptions, CallOptions } from "./backend-options.ts";
import { requestsOf } from "./backend-requests.ts";
import { addressesOf, hubUrlOf } from "./backend-urls.ts";
import { hubServiceOf, type HubService } from "./hub-service.ts";
import { tokensOf } from "./service-tokens.ts";

/** A hub for a service over HTTP: `backend(…)`. */
export interface Backend<H extends AnyHub> extends HubService<H> {
  /** The same backend with other options for its calls. Options that are not named keep their values. */
  with(options: CallOptions): Backend<H>;
  /** The response of an application's own `negotiate` endpoint to a SignalR client whose user it has authenticated. */
  negotiate(user: Negotiation): Promise<{ readonly url: string; readonly accessToken: string }>;
}

/** The user for whom `negotiate` makes a response. */
export interface Negotiation {
  readonly userId: string;
  /** Lifetime of the token. Default: the endpoint's, an hour. */
  readonly ttlMinutes?: number | undefined;
}

/**
 * A hub, for a service: over HTTP, or over a service binding of a Worker. The types come from the hub by a type-only
 * import, and no code of the hub is loaded. Calls that failed and may be repeated are repeated, with the same
 * idempotency key. A call that failed for good rejects with a `HubError` of the server's code.
 *
 * Throws a TypeError if the address is not a hub's, or if there are no credentials.
 *
 * @example
 * const orders = backend<OrderHub>({ url: "https://host/hubs/orders", accessKey: env.ACCESS_KEY });
 * await orders.clients.order("42").orderStatusChanged("42", "shipped");
 */
export function backend<H extends AnyHub>(options: BackendOptions): Backend<H> {
  const { signal, timeoutSeconds } = options;
  const addresses = addressesOf(hubUrlOf(options));
  const tokens = tokensOf(options);
  const backendWith = (call: CallOptions): Backend<H> => {
    const send = requestsOf({ ...addresses, tokens, backend: options, call });
    return {
      ...hubServiceOf<H>(send, call.idempotencyKey),
      negotiate: async ({ userId, ttlMinutes }) => {
        const query = { userId, minutesToExpire: ttlMinutes };
        const response = await send({ method: "POST", path: "/:generateToken", query });
        return { url: addresses.client, accessToken: (response as { token: string }).token };
      },
      with: (more) => backendWith({ ...call, ...more }),
    };
  };
  return backendWith({ signal, timeoutSeconds });
}
