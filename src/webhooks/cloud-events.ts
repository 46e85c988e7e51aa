// Events as they travel: CloudEvents 1.0 in JSON. Pure: ids and times are arguments.

export interface Occurrence {
  readonly id: string;
  /** Without its prefix: `connected`. */
  readonly kind: string;
  readonly tenant: string;
  readonly hub: string;
  /** A room's topic, or a connection's id. */
  readonly subject: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  /** One JSON object, as text: what was said in a room is not read again to be written again. */
  readonly data: string;
}

/** An event on its way. */
export interface QueuedEvent {
  readonly id: string;
  readonly text: string;
}

export const PREFIX = "dormouse.";

/** One event's JSON. `tenant` is an extension attribute: hubs of two tenants share a source. */
export function eventText({ id, kind, tenant, hub, subject, at, data }: Occurrence): string {
  const attributes = {
    ...{ specversion: "1.0", id, source: `/hubs/${hub}`, type: PREFIX + kind, subject },
    ...{ time: new Date(at).toISOString(), tenant, datacontenttype: "application/json" },
  };
  return `${JSON.stringify(attributes).slice(0, -1)},"data":${data}}`;
}

export const BATCH_TYPE = "application/cloudevents-batch+json; charset=utf-8";
export const EVENT_TYPE = "application/cloudevents+json; charset=utf-8";
