// Webhook events in the format of CloudEvents 1.0 (JSON). Pure: ids and times are arguments.

/** An event before it is encoded. */
interface WebhookEvent {
  readonly id: string;
  /** The type without `dormouse.`, such as `connected`. */
  readonly kind: string;
  readonly tenant: string;
  readonly hub: string;
  /** The topic of a room, or the id of a connection. */
  readonly subject: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  /** One JSON object, as text: published arguments are inserted as they are, and not parsed again. */
  readonly data: string;
  /** Attribute `traceparent` (CloudEvents 1.0, Distributed Tracing). */
  readonly trace?: string | undefined;
}

/** An encoded event that waits for delivery. */
export interface QueuedEvent {
  readonly id: string;
  readonly text: string;
}

const TYPE_PREFIX = "dormouse.";

/** The event's JSON. `tenant` is an extension attribute, since hubs of two tenants share a `source`. */
export function eventText({
  id,
  kind,
  tenant,
  hub,
  subject,
  at,
  data,
  trace,
}: WebhookEvent): string {
  const attributes = {
    ...{ specversion: "1.0", id, source: `/hubs/${hub}`, type: TYPE_PREFIX + kind, subject },
    ...{ time: new Date(at).toISOString(), tenant, datacontenttype: "application/json" },
    ...(trace !== undefined && { traceparent: trace }),
  };
  return `${JSON.stringify(attributes).slice(0, -1)},"data":${data}}`;
}

/**
 * Media types of the JSON format: of a batch (CloudEvents 1.0 JSON §4), of a single event (CloudEvents 1.0 JSON §3).
 */
export const BATCH_TYPE = "application/cloudevents-batch+json; charset=utf-8";
export const EVENT_TYPE = "application/cloudevents+json; charset=utf-8";
