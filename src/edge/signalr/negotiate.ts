// SignalR's negotiation, `POST {hub}/negotiate` (docs/design/signalr-transports.md#ng1): the answer lists the
// transports that the server offers, and has the connection token by which further requests find their relay.

import type { Transport } from "../../model/options.ts";
import { NO_STORE } from "../answer/cache-headers.ts";
import { checkAccount } from "../admit/account-check.ts";
import { isGuest } from "../../model/user.ts";
import { tokenFor } from "../admit/guests.ts";
import { callerOf, relayTargetOf, type Caller } from "../admit/hub-callers.ts";
import { isMicrosoftClient } from "./signalr-agent.ts";
import type { Seat } from "../../rooms/rpc/relay-rpc.ts";
import { unlessRefused } from "../../rooms/rpc/fault.ts";
import type { Relay } from "../admit/relay-choice.ts";
import type { Serving } from "../admit/serving.ts";
import { lifetimeOf } from "./refresh.ts";

/** The newest version of the negotiation. From 1 on the connection token is secret and differs from the public id. */
const NEWEST = 1;

/**
 * 200 for every admitted client. An unsupported version is an `error` in the body, which SignalR's clients show. Throws
 * what `callerOf` throws, `banned`, `token_revoked`, `rate_limited`, `relay_full` and `too_many_connections`.
 */
export async function negotiate(request: Request, serving: Serving): Promise<Response> {
  const caller = await callerOf(request, serving);
  const requested = caller.query.get("negotiateversion") ?? "0";
  if (!/^-?\d{1,9}$/.test(requested))
    return Response.json({ error: "The client requested a non-integer protocol version." });
  if (Number(requested) < 0) return Response.json({ error: unsupported(requested) });
  const version = Math.min(Number(requested), NEWEST);
  const [seat] = await Promise.all([
    seatFor(caller, serving, version),
    checkAccount(caller.user, serving),
  ]);
  const connectionToken = tokenFor(caller.user, seat.token);
  const negotiated = {
    negotiateVersion: version,
    connectionId: version > 0 ? seat.id : connectionToken,
    ...(version > 0 && { connectionToken }),
    ...(version > 0 &&
      !isGuest(caller.user) && { tokenLifetimeSeconds: lifetimeOf(caller.user, Date.now()) }),
    availableTransports: caller.served.settings.signalR.transports.map(describe),
    ...(isResumable(caller) && { useStatefulReconnect: true }),
  };
  // The connection token is a secret.
  return Response.json(negotiated, { headers: NO_STORE });
}

async function seatFor(caller: Caller, serving: Serving, version: number): Promise<Seat> {
  const { request } = caller;
  const { id, guestFrom, grant } = caller.user;
  const user = guestFrom === undefined ? { id } : { id, guestFrom };
  const seatRequest = {
    // A guest has no other proof: with public ids as its token, everybody could use its connection.
    hasSecretToken: version > 0 || isGuest(caller.user),
    statefulReconnect: isResumable(caller),
    pings: isMicrosoftClient(request),
    grant,
  };
  const attempt = (relay: Relay) => relay.seat(user, { ...seatRequest, sentAt: Date.now() });
  return unlessRefused(await serving.relays.find(serving, relayTargetOf(caller), attempt));
}

/** Server-Sent Events can only carry text. */
const describe = (transport: Transport) => ({
  transport,
  transferFormats: transport === "ServerSentEvents" ? ["Text"] : ["Text", "Binary"],
});

/** The same words as ASP.NET Core's. */
const unsupported = (version: string): string =>
  `The client requested version '${version}', but the server does not support this version.`;

/**
 * Whether the connection has stateful reconnect: the client must ask for it, and the hub allow it. After a broken
 * socket both sides then continue with the messages that the other has not acknowledged.
 */
const isResumable = ({ query, served }: Caller): boolean =>
  query.get("usestatefulreconnect")?.toLowerCase() === "true" &&
  served.settings.signalR.statefulReconnect !== undefined;
