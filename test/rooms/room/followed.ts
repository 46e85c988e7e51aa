// A room's followers over a log in memory; calls to them wait until the test answers.

import { DEFAULTS } from "../../../src/model/options.ts";
import type { FollowersOptions } from "../../../src/rooms/room/follower-links.ts";
import { Followers } from "../../../src/rooms/room/followers.ts";
import type { RoomLog } from "../../../src/rooms/log/room-log.ts";
import type { Delivery, DeliveryReply, RoomRpc } from "../../../src/rooms/rpc/room-rpc.ts";
import type { Entry } from "../../../src/rooms/rpc/log-entry.ts";
import { entries, offsets } from "../storage.ts";

type FollowedOptions = Partial<Pick<FollowersOptions, "beside" | "history">> & {
  /** The log's first epoch. */
  readonly first?: string;
};

export function followed(
  storage: DurableObjectStorage,
  all: Entry[] = [],
  { first = "e", history = DEFAULTS.history, beside }: FollowedOptions = {},
) {
  let epoch = first;
  const log = {
    get position() {
      return { epoch, offset: all.length };
    },
    after: (offset: number) => (offset < 0 ? undefined : all.slice(offset)),
  } as RoomLog;
  const clock = { now: 1_000 };
  const alarms: number[] = [];
  const delivered: Delivery[] = [];
  const replies: PromiseWithResolvers<DeliveryReply>[] = [];
  const gone: string[] = [];
  const deliver = (delivery: Delivery) => {
    delivered.push(delivery);
    const answer = Promise.withResolvers<DeliveryReply>();
    replies.push(answer);
    return answer.promise;
  };
  const followers = new Followers({
    room: "group:followed",
    storage,
    log,
    hasLostEntries: false,
    ...{ durability: "logged", history, beside },
    now: () => clock.now,
    arm: (at) => alarms.push(at),
    settled: async () => {},
    waitUntil() {},
    removed: (follower) => gone.push(follower),
    stubs: () => ({ deliver }) as Partial<RoomRpc> as RoomRpc,
  });
  const say = (count: number, more?: Partial<Entry>) => {
    const said = entries(all.length + 1, all.length + count, { at: clock.now, ...more });
    all.push(...said);
    followers.publish(said);
  };
  const reply = (kind: "taken" | "gone") => replies.shift()!.resolve({ kind });
  const replyBehind = (offset: number) => replies.shift()!.resolve({ kind: "behind", offset });
  const fail = () => replies.shift()!.reject(new Error("It cannot be reached."));
  const erase = () => {
    epoch = "f";
    all.length = 0;
    followers.restart();
  };
  /** Another object publishes, and says up to where it has the log. */
  const publishAs = async (follower: string, offset: number, count = 1, of = epoch) => {
    const [, delivery] = await followers.answer(
      { follower, position: { epoch: of, offset } },
      async () => say(count),
    );
    return delivery && [delivery.after, offsets(delivery.entries)];
  };
  return {
    followers,
    publishAs,
    clock,
    alarms,
    say,
    reply,
    replyBehind,
    fail,
    erase,
    gone,
    all,
    resets: () => delivered.map(({ epoch: of, reset }) => `${of}${reset ? " reset" : ""}`),
    batches: () => delivered.map((one) => offsets(one.entries)),
  };
}
