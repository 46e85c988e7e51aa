// A span of OpenTelemetry around every call of every hub: `serve(hubs, { filters: [traced()] })`. Its parent is the
// span of the request that opened the connection, or of the call over HTTP, where that has the header `traceparent`.
// The provider and its exporter are the application's own.

import {
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
  type Context,
  type Tracer,
} from "@opentelemetry/api";
import { HubError, type Filter } from "dormouse-hubs/hub";

export const traced = (tracer: Tracer = trace.getTracer("dormouse-hubs")): Filter => ({
  async invoke({ context, hub, method }, next) {
    const attributes = {
      "rpc.system": "dormouse",
      "rpc.service": hub,
      "rpc.method": method,
      "enduser.id": context.user.id,
      "dormouse.room": `${context.room.kind}:${context.room.name}`,
    };
    const options = { kind: SpanKind.SERVER, attributes };
    const span = tracer.startSpan(`${hub}/${method}`, options, parentOf(context.trace));
    try {
      return await next();
    } catch (error) {
      // A refusal is an answer: only what the client sees as `internal` is a failure of the server.
      if (error instanceof HubError) span.setAttribute("dormouse.code", error.code);
      else span.setStatus({ code: SpanStatusCode.ERROR, message: String(error) });
      throw error;
    } finally {
      span.end();
    }
  },
});

/** `context.trace` is valid, or absent: `00-{trace id}-{span id}-{flags}`. */
function parentOf(traceparent: string | undefined): Context {
  if (traceparent === undefined) return ROOT_CONTEXT;
  const [, traceId = "", spanId = "", flags = "00"] = traceparent.split("-");
  const traceFlags = Number.parseInt(flags, 16);
  return trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId, traceFlags, isRemote: true });
}
