// The service in Connect's protocol and in gRPC-Web: requests → handlers, behind the one door of every transport.

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
import type { Env } from "../admit/hub-callers.ts";
import type { Beyond } from "../json-rpc/hub-endpoint.ts";
import { ASKING } from "./grpc-call.ts";
import { Body } from "./grpc-body.ts";
import { invoke, publish } from "./unary-calls.ts";
import { health } from "./grpc-health.ts";
import { merged, OUTLET, type Outlet } from "./encoded-stream.ts";
import { admitted, translated } from "./grpc-refusals.ts";
import { session } from "./grpc-session.ts";
import { subscribe } from "./subscribe.ts";
import { upload } from "./upload.ts";

export const CONNECT_PATHS = [`/${Hub.typeName}/*`, `/${Health.typeName}/*`];

/** Values of JSON nest by three messages a level, at most. */
const MESSAGES_A_LEVEL = 3;

export function connectRpc(hubs: Hubs) {
  const handlers = new Map(handlersFor(hubs).map((one) => [one.requestPath, one]));
  return async (request: Request, env: Env, beyond: Beyond): Promise<Response> => {
    const handler = handlers.get(new URL(request.url).pathname);
    const type = request.headers.get("content-type") ?? "";
    if (isNative(type)) return shared(inHeaders("application/grpc", NATIVE));
    if (!handler) return shared(unknown(type));
    const outlet: Outlet = {};
    const { methodKind } = handler.method;
    const body = new Body(request, methodKind);
    const contextValues = createContextValues()
      .set(ASKING, { request, env, hubs, beyond, body })
      .set(OUTLET, outlet);
    const answer = await handler({ ...asked(request), body, contextValues });
    const words = answer.body ? undefined : WORDS.get(answer.status);
    if (words !== undefined) return shared(new Response(words, { status: answer.status }));
    if (methodKind === "unary") return shared(await whole(answer));
    return shared(streamed(answer, outlet, body));
  };
}

const asked = ({ method, url, headers: header, signal }: Request) => ({
  ...{ httpVersion: "", method, url, header, signal },
});

/** As it is: neither kept nor compressed on the way, which would hold messages back; and for pages to read. */
function shared(response: Response): Response {
  response.headers.set("cache-control", "no-store, no-transform");
  response.headers.set("access-control-expose-headers", cors.exposedHeaders.join(", "));
  return response;
}

function streamed(answer: UniversalServerResponse, outlet: Outlet, heard: Body): Response {
  if (!answer.body) return universalServerResponseToFetch(answer);
  const body = merged(answer.body, outlet, heard);
  return universalServerResponseToFetch({ ...answer, body });
}

/** What is complete already goes out in one piece, and with its length. */
async function whole({ body, status, header }: UniversalServerResponse): Promise<Response> {
  const pieces: Uint8Array<ArrayBuffer>[] = [];
  for await (const piece of body ?? []) pieces.push(piece as Uint8Array<ArrayBuffer>);
  const bytes = pieces.length === 1 ? pieces[0]! : await new Blob(pieces).arrayBuffer();
  return new Response(bytes, { status, ...(header && { headers: header }) });
}

/** Connect's library says nothing beside the status. */
const WORDS: ReadonlyMap<number, string> = new Map([
  [405, "Calls are POST requests."],
  [
    415,
    "A message is application/json or application/proto; of streams, application/connect+json or +proto, or gRPC-Web's.",
  ],
]);

function handlersFor(hubs: Hubs): UniversalHandler[] {
  const largest = [...hubs.values()].map(({ settings }) => settings.limits.messageBytes);
  const router = createConnectRouter({
    // Its status stands in trailers, which a worker cannot send.
    grpc: false,
    // Nothing is compressed, so that nothing can be more than it looks; each hub has limits of its own beside.
    acceptCompression: [],
    readMaxBytes: Math.max(LIMITS.messageBytes, ...largest),
    binaryOptions: { recursionLimit: LIMITS.depth * MESSAGES_A_LEVEL },
    // A field's name that is misspelt would be left out in silence.
    jsonOptions: { recursionLimit: LIMITS.depth * MESSAGES_A_LEVEL, ignoreUnknownFields: false },
    requestGate: admitted,
    interceptors: [translated],
  });
  router.service(Hub, { publish, invoke, subscribe, upload, session });
  router.service(Health, health);
  return router.handlers;
}

const isNative = (type: string): boolean => /^application\/grpc(?:[+;]|$)/i.test(type);

const NATIVE =
  "Native gRPC ends with trailers, which this server cannot send. Use gRPC-Web or Connect, or a proxy that converts.";
const UNIMPLEMENTED = "There is no such method.";

function unknown(type: string): Response {
  if (/^application\/grpc-web/i.test(type)) return inHeaders(type, UNIMPLEMENTED);
  const error = { code: "unimplemented", message: UNIMPLEMENTED };
  return Response.json(error, { status: 404, headers: { "x-dormouse-error": "not_found" } });
}

/** A status without a message before it may stand in the headers (gRPC: `Trailers-Only`). 12 is Unimplemented. */
const inHeaders = (type: string, message: string): Response =>
  new Response(null, {
    headers: {
      "content-type": type,
      "grpc-status": "12",
      "grpc-message": encodeURIComponent(message),
    },
  });
