// W3C trace context (version 00): the header `traceparent`, which names a trace and its newest span. It is passed on
// unchanged, without new spans: services make spans of their own.

const TRACEPARENT = /^00-(?!0{32})[\da-f]{32}-(?!0{16})[\da-f]{16}-[\da-f]{2}$/;

/** The member `trace` of a message or arrival; absent if there is no trace. */
interface Traced {
  readonly trace?: string;
}

export const traceIn = ({ headers }: Pick<Request, "headers">): Traced =>
  traced(headers.get("traceparent"));

/** The same of a request whose headers are a record, in lower case. */
export const traceAmong = (headers: Readonly<Record<string, string>>): Traced =>
  traced(headers["traceparent"]);

/** The same, of a connection or a run that has a trace. */
export const traceOf = ({ trace }: { readonly trace?: string | undefined }): Traced =>
  trace === undefined ? {} : { trace };

/** Of a header's value if it is valid: other text of a client must not reach logs and receivers. */
const traced = (value: string | null | undefined): Traced =>
  typeof value === "string" && TRACEPARENT.test(value) ? { trace: value } : {};
