// Refusals that a page can read. Browsers show a page neither status nor headers of a refused upgrade, so Dormouse's
// own client is refused on the socket instead: the upgrade is accepted, the reason is sent as the only message, and the
// socket is closed. Why not by a second request: docs/design/json-rpc-wire.md#cc3.

import { errorBody, type ErrorBody } from "../../model/error-body.ts";
import { shouldRetry } from "../../model/errors.ts";
import { retryAfterOf } from "../../model/retry-after.ts";
import { jsonRpc } from "../../protocols/json-rpc-codec.ts";
import { fitReason } from "../../rooms/connection/close-socket.ts";
import { clientVersionOf } from "./client-version.ts";
import { wantsWebSocket } from "./upgrade-request.ts";

/** Close codes. Not part of `CLOSE`, which ships to pages: a client has the reason from the message before. */
const [REFUSED_FOR_NOW, REFUSED] = [4420, 4520];

/**
 * The most sockets of one isolate whose clients have not answered the close yet. A worker cannot end such a socket
 * itself (docs/design/platform.md#pl33), and a hostile client never answers. Beyond this number refusals are plain HTTP
 * answers.
 */
const CLOSING_AT_MOST = 500;
/** After this time the platform has ended a silent socket, even if its close event never came. */
const FORGET_MS = 120_000;

export class RefusedSockets {
  /** When each socket was closed by this side, in milliseconds since 1970; the oldest first. */
  readonly #closing = new Map<WebSocket, number>();

  /** Sends a refusal on a socket, if Dormouse's own client requested one; else returns it unchanged. Never rejects. */
  async tell(request: Request, response: Response): Promise<Response> {
    const { status } = response;
    if (!wantsWebSocket(request) || clientVersionOf(request) === undefined) return response;
    this.#forgetOld(Date.now());
    if (this.#closing.size >= CLOSING_AT_MOST) return response;
    const error = await errorIn(response);
    const { 0: client, 1: server } = new WebSocketPair();
    server.accept();
    this.#watch(server);
    const params = { ...error, status, ...retryAfterOf(response) };
    server.send(jsonRpc.encode({ type: "control", name: "refused", params }));
    const code = shouldRetry(status) ? REFUSED_FOR_NOW : REFUSED;
    server.close(code, fitReason(`${error.code}: ${error.message}`));
    return new Response(null, { status: 101, webSocket: client });
  }

  #watch(socket: WebSocket): void {
    this.#closing.set(socket, Date.now());
    for (const event of ["close", "error"] as const)
      socket.addEventListener(event, () => this.#closing.delete(socket));
  }

  #forgetOld(now: number): void {
    for (const [socket, at] of this.#closing) {
      if (now - at < FORGET_MS) return;
      this.#closing.delete(socket);
    }
  }
}

/** Refusals by routes for other clients have bodies of another form: their code is in the header, if there is one. */
async function errorIn(response: Response): Promise<ErrorBody["error"]> {
  const body = await response.json<Partial<ErrorBody> | null>().catch(() => null);
  const code = response.headers.get("x-dormouse-error") ?? "internal";
  return body?.error ?? errorBody({ code, message: "The connection was refused." }).error;
}
