// Rooms as one stream of messages: each is a socket of its object, as for Server-Sent Events.

import { create } from "@bufbuild/protobuf";
import type { HandlerContext } from "@connectrpc/connect";
import { HubError } from "../../model/errors.ts";
import { formatTopic, parseTopic } from "../../model/topic.ts";
import {
  HeartbeatSchema,
  Standing_Outcome as Outcome,
  SubscribeResponseSchema,
  type SubscribeRequest,
  type SubscribeResponse,
} from "../../protocols/proto/dormouse/v1/hub_pb.ts";
import { admit } from "../admission.ts";
import { asked } from "../asking.ts";
import { Bridge } from "../bridge.ts";
import { checkConnectRate } from "../connect-rate.ts";
import { isHello, isQuestion, placeAfter, type Heard } from "../events.ts";
import type { Frame } from "../frames.ts";
import { callerAt } from "../hub-callers.ts";
import { Once } from "../once.ts";
import { ROOMS_AT_MOST, sourceOf } from "../rooms.ts";
import type { Source } from "../sse.ts";
import { askingOf } from "./asking.ts";
import { endingOf } from "./errors.ts";
import { Queue } from "./queue.ts";
import { standingOf, wordOf } from "./words.ts";

/** So that nobody on the way takes it for dead, and a caller that vanished is found out. */
export const HEARTBEAT_MS = 15_000;
const HEARTBEAT_BYTES = 64;

/** Throws what admission throws, `too_many_groups`, and what the rooms throw that cannot be entered. */
export async function* subscribe(
  request: SubscribeRequest,
  context: HandlerContext,
): AsyncGenerator<SubscribeResponse> {
  const subscription = new Subscription(await sourcesOf(request, context), request);
  const { signal } = context;
  const abort = () => subscription.queue.end(signal.reason);
  signal.addEventListener("abort", abort);
  if (signal.aborted) abort();
  await subscription.begin();
  yield* subscription.queue.read();
}

async function sourcesOf(
  { hub, topics }: SubscribeRequest,
  context: HandlerContext,
): Promise<Source[]> {
  const { request, user: known, env, hubs } = askingOf(context);
  const { served } = callerAt({ request, user: known }, hub, hubs);
  const rooms = new Map(
    topics.map(({ topic, position }) => [formatTopic(parseTopic(topic)), position]),
  );
  const [first] = rooms.keys();
  if (first === undefined) throw new HubError("invalid_arguments", "Which topics?");
  if (rooms.size > ROOMS_AT_MOST)
    throw new HubError("too_many_groups", `A stream has ${ROOMS_AT_MOST} topics at most.`);
  const user = await asked({ request, user: known, hub, room: parseTopic(first) }, env);
  const entrants = await Promise.all(
    [...rooms.keys()].map((room) => admit({ request, user, served, topic: parseTopic(room) })),
  );
  await checkConnectRate(request, user, env);
  return entrants.map((one) => {
    const since = rooms.get(formatTopic(one.topic));
    return sourceOf(one, since === "" ? undefined : since, env);
  });
}

type Options = Pick<SubscribeRequest, "presence" | "strict">;

class Subscription {
  readonly queue: Queue<SubscribeResponse>;
  readonly #options: Options;
  readonly #bridges: readonly Bridge[];
  readonly #once: Once;
  /** Where the caller stands, by room. */
  readonly #positions: Map<string, string | undefined>;
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

  async begin(): Promise<void> {
    const begun = await Promise.allSettled(this.#bridges.map((bridge) => bridge.begin()));
    const refused = begun.find((one) => one.status === "rejected");
    if (refused) {
      this.queue.end();
      throw refused.reason;
    }
    if (!this.queue.hasEnded)
      this.#timer = setInterval(() => this.queue.push([HEARTBEAT], HEARTBEAT_BYTES), HEARTBEAT_MS);
  }

  #close(): void {
    clearInterval(this.#timer ?? null);
    for (const bridge of this.#bridges) bridge.end();
  }

  #tell(room: string, frame: Frame): void {
    // What is alike for all is made into messages once for all of them.
    const isOnly = this.#bridges.length === 1;
    const said =
      frame.alike && isOnly
        ? this.#heardAlike(room, frame)
        : frame.records.flatMap((record) => this.#heard(room, record) ?? []);
    this.queue.push(said, frame.text.length);
  }

  #heardAlike(room: string, frame: Frame): readonly SubscribeResponse[] {
    this.#positions.set(room, frame.alike?.position ?? this.#positions.get(room));
    const said = alike(room, frame);
    if (said.some(({ kind }) => kind.case === "reset")) this.#checkStrict();
    return this.#options.presence ? said : said.filter(({ kind }) => kind.case !== "presence");
  }

  #heard(room: string, heard: Heard): SubscribeResponse | undefined {
    if (isQuestion(heard) || this.#once.heardBefore(room, heard)) return undefined;
    const stood = this.#positions.get(room);
    this.#positions.set(room, placeAfter(room, heard, stood) ?? stood);
    if (isHello(heard)) {
      const value = standingOf(room, heard, stood);
      if (value.outcome === Outcome.RESET) this.#checkStrict();
      return create(SubscribeResponseSchema, { kind: { case: "standing", value } });
    }
    const kind = wordOf(room, heard);
    if (kind?.case === "reset") this.#checkStrict();
    if (!kind || (kind.case === "presence" && !this.#options.presence)) return undefined;
    return create(SubscribeResponseSchema, { kind });
  }

  #checkStrict(): void {
    if (this.#options.strict)
      this.queue.end(new HubError("history_gone", "The room no longer has what was missed."));
  }
}

const HEARTBEAT = create(SubscribeResponseSchema, {
  kind: { case: "heartbeat", value: create(HeartbeatSchema) },
});

/** Ends with the frames, of which the newest are remembered. */
const made = new WeakMap<Frame, readonly SubscribeResponse[]>();

/** Many write them, so nobody may change them. */
function alike(room: string, frame: Frame): readonly SubscribeResponse[] {
  const known = made.get(frame);
  if (known) return known;
  const said = frame.records.flatMap((record) => {
    const kind = wordOf(room, record);
    return kind ? [create(SubscribeResponseSchema, { kind })] : [];
  });
  made.set(frame, said);
  return said;
}
