// Rooms as one stream of messages: each is a socket of its object, as for Server-Sent Events.

import { create } from "@bufbuild/protobuf";
import type { HandlerContext } from "@connectrpc/connect";
import { HubError } from "../../model/errors.ts";
import { formatTopic, parseTopic } from "../../model/topic.ts";
import {
  HeartbeatSchema,
  Standing_Outcome as Outcome,
  SubscribeResponseSchema,
  type Standing,
  type SubscribeRequest,
  type SubscribeResponse,
} from "../../protocols/proto/dormouse/v1/hub_pb.ts";
import { admit } from "../admit/admission.ts";
import { asked } from "../admit/connect-webhook.ts";
import { Bridge } from "../stream/bridge.ts";
import { checkConnectRate } from "../admit/connect-rate.ts";
import { isHello, isQuestion, placeAfter, type Heard } from "../sse/sse-events.ts";
import type { Frame } from "../stream/shared-frames.ts";
import { Once } from "../stream/deduplicate.ts";
import { ROOMS_AT_MOST, sourceOf } from "../json-rpc/room-endpoint.ts";
import type { Source } from "../sse/event-streams.ts";
import { askingOf, atHub, topicOf, within } from "./grpc-call.ts";
import { endingOf } from "./grpc-errors.ts";
import { envelopeOf, joined, OUTLET } from "./encoded-stream.ts";
import { Queue } from "../stream/slow-reader-queue.ts";
import { standingOf, wordOf } from "./room-messages.ts";

/** So that nobody on the way takes it for dead, and a caller that vanished is found out. */
export const HEARTBEAT_MS = 15_000;
const HEARTBEAT_BYTES = 64;

/** Throws what admission throws, `too_many_groups`, and what the rooms throw that cannot be entered. */
export async function* subscribe(
  request: SubscribeRequest,
  context: HandlerContext,
): AsyncGenerator<SubscribeResponse> {
  const isJson = /json/i.test(context.requestHeader.get("content-type") ?? "");
  const options = { ...request, isJson };
  const { signal } = context;
  const subscription = new Subscription(await within(signal, sourcesOf(request, context)), options);
  const { first, queue } = subscription;
  const abort = () => queue.end(signal.reason);
  signal.addEventListener("abort", abort);
  if (signal.aborted) abort();
  await within(signal, subscription.begin());
  context.values.get(OUTLET)!.queue = queue;
  const begun = await Promise.race([queue.over, first]);
  if (begun) yield begun;
  // The rest comes by the outlet; after that, why it ended.
  await queue.over;
}

async function sourcesOf(request: SubscribeRequest, context: HandlerContext): Promise<Source[]> {
  const { env } = askingOf(context);
  const { request: http, user: known, served } = atHub(context, request.hub);
  const stands = standsOf(request);
  const topics = [...stands.keys()].map(parseTopic);
  const whole = { hub: served.name, room: topics[0]!, rooms: [...stands.keys()] };
  const user = await asked({ request: http, user: known, ...whole }, env);
  const entrants = await Promise.all(
    topics.map((topic) => admit({ request: http, user, served, topic })),
  );
  await checkConnectRate(http, user, env);
  return entrants.map((one) => sourceOf(one, stands.get(formatTopic(one.topic)), env));
}

/** Where the caller stands, by topic. */
function standsOf({ topics }: SubscribeRequest): ReadonlyMap<string, string | undefined> {
  const stands = new Map(
    topics.map(({ topic, position }) => [
      formatTopic(parseTopic(topicOf(topic))),
      position === "" ? undefined : position,
    ]),
  );
  if (stands.size === 0) throw new HubError("invalid_arguments", "Which topics?");
  if (stands.size > ROOMS_AT_MOST)
    throw new HubError("too_many_groups", `A stream has ${ROOMS_AT_MOST} topics at most.`);
  if (stands.size < topics.length)
    throw new HubError("invalid_arguments", "Each topic is named once.");
  return stands;
}

type Options = Pick<SubscribeRequest, "presence" | "strict"> & { readonly isJson: boolean };

class Subscription {
  readonly queue: Queue<Uint8Array>;
  readonly #options: Options;
  readonly #bridges: readonly Bridge[];
  readonly #once: Once;
  /** Where the caller stands, by room. */
  readonly #positions: Map<string, string | undefined>;
  readonly #first = Promise.withResolvers<SubscribeResponse>();
  #hasBegun = false;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(sources: readonly Source[], options: Options) {
    this.#options = options;
    this.#once = new Once(sources.map(({ room }) => room));
    this.#positions = new Map(sources.map(({ room, since }) => [room, since]));
    this.queue = new Queue(() => this.#close());
    this.#bridges = sources.map(({ room, since, open }) => {
      const heard = (frame: Frame) => this.#tell(room, frame);
      const ended = (code: number, reason: string) => this.queue.end(endingOf(code, reason));
      return new Bridge({ room, open, heard, ended }, since);
    });
  }

  /** How the first of the rooms begins. */
  get first(): Promise<SubscribeResponse> {
    return this.#first.promise;
  }

  async begin(): Promise<void> {
    const begun = await Promise.allSettled(this.#bridges.map((bridge) => bridge.begin()));
    const refused = begun.find((one) => one.status === "rejected");
    if (refused) {
      this.queue.end();
      throw refused.reason;
    }
    const heartbeat = envelopeOf(HEARTBEAT, this.#options.isJson);
    if (!this.queue.hasEnded)
      this.#timer = setInterval(() => this.queue.push([heartbeat], HEARTBEAT_BYTES), HEARTBEAT_MS);
  }

  #close(): void {
    clearInterval(this.#timer ?? null);
    for (const bridge of this.#bridges) bridge.end();
  }

  #tell(room: string, frame: Frame): void {
    const isOnly = this.#bridges.length === 1;
    const bytes = frame.alike && isOnly ? this.#tellAlike(room, frame) : this.#tellOne(room, frame);
    if (bytes.length > 0) this.queue.push([bytes], bytes.length);
  }

  /** What is alike for all that listen to nothing else is encoded once for all of them. */
  #tellAlike(room: string, frame: Frame): Uint8Array {
    const { isJson, presence, strict } = this.#options;
    this.#positions.set(room, frame.alike?.position ?? this.#positions.get(room));
    if (strict && frame.records.some(({ method }) => method === "$/reset")) this.#lose();
    const known = encoded.get(frame) ?? new Map<string, Uint8Array>();
    encoded.set(frame, known);
    const key = `${isJson} ${presence}`;
    const bytes = known.get(key) ?? this.#tellOne(room, frame);
    known.set(key, bytes);
    return bytes;
  }

  #tellOne(room: string, frame: Frame): Uint8Array {
    return joined(
      frame.records.flatMap((record) => {
        const said = this.#heard(room, record);
        return said ? [envelopeOf(said, this.#options.isJson)] : [];
      }),
    );
  }

  #heard(room: string, heard: Heard): SubscribeResponse | undefined {
    const isOnly = this.#bridges.length === 1;
    if (isQuestion(heard) || (!isOnly && this.#once.heardBefore(room, heard))) return undefined;
    const stood = this.#positions.get(room);
    this.#positions.set(room, placeAfter(room, heard, stood) ?? stood);
    if (isHello(heard)) return this.#begins(standingOf(room, heard, stood));
    const kind = wordOf(room, heard);
    if (kind?.case === "reset") this.#lose();
    if (!kind || (kind.case === "presence" && !this.#options.presence)) return undefined;
    return create(SubscribeResponseSchema, { kind });
  }

  /** The first of all goes the way of its own. */
  #begins(value: Standing): SubscribeResponse | undefined {
    if (value.outcome === Outcome.RESET) this.#lose();
    const said = create(SubscribeResponseSchema, { kind: { case: "standing", value } });
    if (this.#hasBegun) return said;
    this.#hasBegun = true;
    this.#first.resolve(said);
    return undefined;
  }

  #lose(): void {
    if (this.#options.strict)
      this.queue.end(new HubError("history_gone", "The room no longer has what was missed."));
  }
}

const HEARTBEAT = create(SubscribeResponseSchema, {
  kind: { case: "heartbeat", value: create(HeartbeatSchema) },
});

/** By what a stream asked for. Ends with the frames, of which the newest are remembered; nobody may change the bytes. */
const encoded = new WeakMap<Frame, Map<string, Uint8Array>>();
