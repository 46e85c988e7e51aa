// Refusals that a browser can read. Browsers show a page neither status nor headers of a refused upgrade, so our own
// client is refused on the socket instead: the upgrade is accepted, the reason is its only message, and a close follows.
// Why not by a second request: docs/design/json-rpc-wire.md#rf1.

import { CLOSE, shouldRetry } from "../../model/errors.ts";
import { jsonRpc } from "../../protocols/json-rpc-codec.ts";
import { fitReason } from "../../rooms/connection/close-socket.ts";
import { errorBody, type ErrorBody } from "../../model/error-body.ts";
import { clientVersionOf } from "./client-version.ts";

/**
 * The refusal on a socket, where a client of ours has asked for one; else the response as it is. The worker holds
 * nothing afterwards but the socket's closing handshake, which the platform ends where the client does not.
 */
export async function overSocket(request: Request, response: Response): Promise<Response> {
  const { status, headers } = response;
  if (status < 400 || !isUpgrade(request) || clientVersionOf(request) === undefined)
    return response;
  const { error } = await bodyOf(response);
  const retryAfter = Number(headers.get("retry-after"));
  const params = { ...error, status, ...(retryAfter > 0 && { retryAfter }) };
  const { 0: client, 1: server } = new WebSocketPair();
  server.accept();
  server.send(jsonRpc.encode({ type: "control", name: "refused", params }));
  const code = shouldRetry(status) ? CLOSE.unavailable : CLOSE.refused;
  server.close(code, fitReason(`${error.code}: ${error.message}`));
  return new Response(null, { status: 101, webSocket: client });
}

/** Refusals that are no JSON are not ours to read: their code is in the header, if there is one. */
async function bodyOf(response: Response): Promise<ErrorBody> {
  const code = response.headers.get("x-dormouse-error") ?? "internal";
  const unread = () => errorBody({ code, message: "The connection was refused." });
  return response.json<ErrorBody>().catch(unread);
}

const isUpgrade = ({ headers }: Request): boolean =>
  headers.get("upgrade")?.toLowerCase() === "websocket";
