// The service in Connect's protocol and in gRPC-Web. Native gRPC needs trailers, which a Worker cannot send: it is
// refused with a status that its clients understand.

import { cors, createConnectRouter, createContextValues } from "@connectrpc/connect";
import {
  universalServerResponseToFetch,
  type UniversalHandler,
  type UniversalServerResponse,
} from "@connectrpc/connect/protocol";
import type { Hubs } from "../../dispatch/define/hub-tables.ts";
import { LIMITS } from "../../model/options.ts";
import { Hub } from "../../protocols/proto/dormouse/v1/hub_pb.ts";
import { Health } from "../../protocols/proto/grpc/health/v1/health_pb.ts";
import { pathBelow } from "../admit/request-target.ts";
import { STREAM_HEADERS } from "../answer/cache-headers.ts";
import type { StreamServing } from "../stream/room-sources.ts";
import { CALL } from "./grpc-call.ts";
import { Body } from "./grpc-body.ts";
import { getState, invoke, publish, run } from "./unary-calls.ts";
import { health } from "./grpc-health.ts";
import { mergeOutlet, OUTLET, type Outlet } from "./encoded-stream.ts";
import { authenticateCall, translateErrors } from "./grpc-refusals.ts";
import { session } from "./grpc-session.ts";
import { subscribe } from "./subscribe.ts";
import { upload } from "./upload.ts";

/** Protobuf's `Value` nests by at most three messages for a level of JSON. */
const MESSAGES_A_LEVEL = 3;

/** A misspelt field would otherwise be dropped silently, and bytes that are no UTF-8 be replaced. */
const JSON_OPTIONS = {
  recursionLimit: LIMITS.depth * MESSAGES_A_LEVEL,
  ignoreUnknownFields: false,
  // Not in the library's types.
  textDecoder: new TextDecoder("utf-8", { fatal: true, ignoreBOM: false }),
};

/**
 * Answers calls as requests of `fetch`. The handlers are created once for the isolate, a context for each call. Errors
 * are answered in the protocol of the call: the function rejects only for faults of the libraries.
 */
export function connectRpc(hubs: Hubs) {
  const handlers = new Map(handlersFor(hubs).map((one) => [one.requestPath, one]));
  return async (call: StreamServing & { readonly request: Request }): Promise<Response> => {
    const { request } = call;
    const handler = handlers.get(pathBelow(request, call.prefix));
    const type = request.headers.get("content-type") ?? "";
    if (isNative(type)) return withHeaders(headersOnly("application/grpc", NATIVE));
    if (isWebText(type)) return withHeaders(headersOnly("application/grpc-web-text", WEB_TEXT));
    if (!handler) return withHeaders(unknownMethod(type));
    const outlet: Outlet = {};
    const { methodKind } = handler.method;
    const body = new Body(request, methodKind);
    const contextValues = createContextValues()
      .set(CALL, { request, serving: call, body })
      .set(OUTLET, outlet);
    const answer = await handler({ ...universalRequest(request), body, contextValues });
    const explanation = answer.body ? undefined : EXPLANATIONS.get(answer.status);
    if (explanation !== undefined)
      return withHeaders(explanationAnswer(answer.status, explanation));
    if (methodKind === "unary") return withHeaders(await unaryResponse(answer));
    return withHeaders(streamResponse(answer, outlet, body));
  };
}

const universalRequest = ({ method, url, headers: header, signal }: Request) => ({
  ...{ httpVersion: "", method, url, header, signal },
});

/** Every answer may be a stream, refusals included; pages may read Connect's headers. */
function withHeaders(response: Response): Response {
  for (const [name, value] of Object.entries(STREAM_HEADERS)) response.headers.set(name, value);
  response.headers.set("access-control-expose-headers", cors.exposedHeaders.join(", "));
  return response;
}

function streamResponse(answer: UniversalServerResponse, outlet: Outlet, request: Body): Response {
  if (!answer.body) return universalServerResponseToFetch(answer);
  const body = mergeOutlet(answer.body, outlet, request);
  return universalServerResponseToFetch({ ...answer, body });
}

/** A complete answer is sent in one piece, with its length. */
async function unaryResponse(answer: UniversalServerResponse): Promise<Response> {
  const { body, status, header } = answer;
  const pieces: Uint8Array<ArrayBuffer>[] = [];
  for await (const piece of body ?? []) pieces.push(piece as Uint8Array<ArrayBuffer>);
  const bytes = pieces.length === 1 ? pieces[0]! : await new Blob(pieces).arrayBuffer();
  return new Response(bytes, { status, ...(header && { headers: header }) });
}

/** Texts for statuses that Connect's library answers with an empty body. */
const EXPLANATIONS: ReadonlyMap<number, string> = new Map([
  [405, "Calls are POST requests."],
  [
    415,
    "A message is application/json or application/proto; of streams, application/connect+json or +proto, or gRPC-Web's.",
  ],
]);

/** A 405 names the verbs of its path (RFC 9110 §15.5.6): all methods have only POST. */
const explanationAnswer = (status: number, explanation: string): Response =>
  new Response(explanation, { status, headers: status === 405 ? { allow: "POST" } : {} });

/**
 * Connect's handlers, by protocol and method. Limits are the largest of all hubs: each hub's own limit is checked at
 * the hub, once the request has named it.
 */
function handlersFor(hubs: Hubs): UniversalHandler[] {
  const largest = [...hubs.values()].map(({ settings }) => settings.limits.messageBytes);
  const router = createConnectRouter({
    // Native gRPC has its status in trailers, which a Worker cannot send.
    grpc: false,
    // Without compression no message can be larger than its bytes on the wire. Each hub also has a limit of its own.
    acceptCompression: [],
    readMaxBytes: Math.max(LIMITS.messageBytes, ...largest),
    binaryOptions: { recursionLimit: LIMITS.depth * MESSAGES_A_LEVEL },
    jsonOptions: JSON_OPTIONS,
    requestGate: authenticateCall,
    interceptors: [translateErrors],
  });
  router.service(Hub, { publish, invoke, run, getState, subscribe, upload, session });
  router.service(Health, health);
  return router.handlers;
}

/** Whether the type is native gRPC's. gRPC-Web's types begin likewise, and continue with `-web`. */
const isNative = (type: string): boolean => /^application\/grpc(?:[+;]|$)/i.test(type);

/** Whether the type is gRPC-Web in base64, for browsers that cannot read bytes. */
const isWebText = (type: string): boolean => /^application\/grpc-web-text(?:[+;]|$)/i.test(type);

const WEB_TEXT = "gRPC-Web is served in its binary form: application/grpc-web+proto or +json.";
const NATIVE =
  "Native gRPC ends with trailers, which this server cannot send. Use gRPC-Web or Connect, or a proxy that converts.";
const UNIMPLEMENTED = "There is no such method.";

/**
 * The answer for a path without a method, in the protocol that the caller's content type names. Not logged, because
 * scanners try many paths.
 */
function unknownMethod(type: string): Response {
  if (/^application\/grpc-web/i.test(type)) return headersOnly(type, UNIMPLEMENTED);
  const error = { code: "unimplemented", message: UNIMPLEMENTED };
  return Response.json(error, { status: 404, headers: { "x-dormouse-error": "not_found" } });
}

/** gRPC's `Trailers-Only`: a status without any message may be sent in the headers. 12 is Unimplemented. */
const headersOnly = (type: string, message: string): Response =>
  new Response(null, {
    headers: {
      "content-type": type,
      "grpc-status": "12",
      "grpc-message": encodeURIComponent(message),
    },
  });
