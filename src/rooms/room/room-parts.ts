// What a room is made of, beside what every object with connections has: its log, its publisher, its presence, and
// the objects that follow it.

import type { RoomSettings } from "../../model/options.ts";
import { randomEpoch } from "../../model/position.ts";
import { formatTopic, type Topic } from "../../model/topic.ts";
import type { RoomAddress } from "../rpc/object-names.ts";
import type { Connection } from "../connection/connection.ts";
import { Followers } from "./followers.ts";
import { HubIndex } from "./hub-index.ts";
import type { RoomLog } from "../log/sqlite-log.ts";
import { openLog } from "../log/open-log.ts";
import { isPresence, type Entry } from "../rpc/log-entry.ts";
import { MessageRate } from "../observe/message-rate.ts";
import { Parts, type Events } from "../object/object-parts.ts";
import type { ObjectEnv } from "../rpc/object-env.ts";
import { OWN } from "../presence/presence-state.ts";
import { Publisher } from "./publisher.ts";
import type { Receiver } from "../object/host.ts";
import type { Crowd, Report } from "../rpc/activity-report.ts";
import { PresenceAnnouncer } from "../presence/presence-announcer.ts";

export interface RoomEvents extends Events {
  presenceChanged(joined: readonly string[], left: readonly string[]): void;
}

const now = (): number => Date.now();

export class RoomParts extends Parts {
  readonly log: RoomLog;
  readonly publisher: Publisher;
  readonly roster: PresenceAnnouncer;
  readonly followers: Followers;
  readonly rate = new MessageRate();
  /** What the hub's rooms say of themselves: in its `all` room. */
  readonly index: HubIndex | undefined;

  constructor(ctx: DurableObjectState, env: ObjectEnv, receiver: Receiver, events: RoomEvents) {
    super(ctx, env, receiver, events);
    const { storage } = ctx;
    const { room, outbox, settings, agenda, connections } = this;
    const arm = (at: number) => agenda.arm(at);
    const log = (this.log = openLog(storage, settings));
    this.publisher = new Publisher({
      ...{ room, log, outbox, now },
      own: connections.all,
      saved: (entries) => {
        this.outside?.said(room, log.position.epoch, entries);
        this.#saved(entries);
      },
    });
    this.roster = new PresenceAnnouncer({
      ...{ sql: storage.sql, settings, now, arm },
      publish: (draft) => this.publisher.publish(draft),
      flush: () => outbox.flush(),
      changed: (joined, left) => {
        this.outside?.presenceChanged(room, joined, left);
        events.presenceChanged(joined, left);
      },
    });
    this.followers = new Followers({
      ...{ room, storage, log, now, arm, peers: this.peers },
      waitUntil: (work) => ctx.waitUntil(work),
      gone: (follower) => this.roster.forget(follower),
    });
    this.follows.restore();
    this.duties.push(this.roster, this.followers);
    this.index = this.topic.kind === "all" ? new HubIndex(storage, arm) : undefined;
    if (this.index) this.duties.push(this.index);
    this.roster.restore(this.#counts());
  }

  #saved(entries: readonly Entry[]): void {
    this.followers.said(entries);
    const messages = entries.filter((entry) => !isPresence(entry)).length;
    if (messages > 0) this.rate.add(messages, now());
    this.active();
  }

  override get name(): string {
    return this.room;
  }

  override get crowd(): Crowd {
    const { connections, users } = this.roster;
    return { sockets: this.connections.all.size, connections, users };
  }

  protected override async tell(report: Report): Promise<void> {
    if (this.index) this.index.report(this.name, report, now());
    else await super.tell(report);
  }

  get topic(): Topic {
    return (this.home as RoomAddress).topic;
  }

  get room(): string {
    return formatTopic(this.topic);
  }

  /** In one commit: a crash leaves the old log under its old epoch, or none under the new one. */
  renewEpoch(erase: (epoch: string) => void): void {
    const { storage } = this.ctx;
    storage.transactionSync(() => {
      const epoch = randomEpoch();
      storage.kv.put("epoch", epoch);
      erase(epoch);
    });
  }

  override membersOf(room: string): Iterable<Connection> {
    return room === this.room ? this.connections.all : super.membersOf(room);
  }

  override topicsOf(connection: Connection): Topic[] {
    return [this.topic, ...super.topicsOf(connection)];
  }

  /** Nobody is attached to a hub's `all` room, so it has presence only where the hub keeps who is online. */
  protected override adapted(settings: RoomSettings): RoomSettings {
    const hidden = this.topic.kind === "all" && !settings.online;
    return hidden ? { ...settings, presence: "none" } : settings;
  }

  protected override get isUnlogged(): boolean {
    return this.settings.durability !== "logged";
  }

  override get isUsed(): boolean {
    return super.isUsed || this.roster.users > 0;
  }

  *#counts() {
    const counts = new Map<string, number>();
    for (const { user } of this.connections.all)
      counts.set(user.id, (counts.get(user.id) ?? 0) + 1);
    for (const [userId, count] of counts) yield [OWN, userId, count] as const;
    yield* this.followers.members();
  }
}
