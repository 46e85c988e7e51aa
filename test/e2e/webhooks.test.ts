// Rooms whose receiver is down, slow and failing while publishers speak: what it gets in the end, and that the rooms
// take no notice.

import { afterAll, beforeAll, expect, it } from "vitest";
import type { Endpoint } from "../support/endpoint.ts";
import { startEngine } from "../support/engine.ts";
import { PATIENCE_MS, TEST_MS } from "../support/patience.ts";
import { WEBHOOK_SECRET, WebhookServer, type Mood } from "./receiver.ts";
import { enter, eventually, type Client } from "./client.ts";
import { pause } from "./load.ts";

const LONG = process.env["DORMOUSE_LONG"] === "1";
const ROOMS = ["one", "two"] as const;
const EVERY_MS = 40;
const OUTAGE_MS = LONG ? 60_000 : 6_000;
const CALM_MS = LONG ? 20_000 : 4_000;

let endpoint: Endpoint;
let receiver: WebhookServer;
beforeAll(async () => {
  receiver = await WebhookServer.start();
  const WEBHOOK_EVENTS = "connected,disconnected,joined,left,message";
  const vars = { WEBHOOK_URL: receiver.url, WEBHOOK_SECRET, WEBHOOK_EVENTS };
  endpoint = await startEngine({ vars });
});
afterAll(async () => {
  await endpoint[Symbol.asyncDispose]();
  await receiver[Symbol.asyncDispose]();
});

/** Says a number every so often, and hears how long it took until everybody in the room has it. */
class Speaker implements Disposable {
  readonly room: string;
  /** By mood of the receiver, milliseconds. */
  readonly latencies = new Map<string, number[]>();
  readonly heard: number[] = [];
  sent = 0;
  #said: { at: number; mood: string }[] = [];
  #speaking: NodeJS.Timeout | undefined;
  #client!: Client;
  #listener!: Client;

  constructor(room: string) {
    this.room = room;
  }

  async enter(): Promise<void> {
    const place = `chat/group:${this.room}`;
    this.#client = await enter(endpoint, place, { user: `speaker-${this.room}` });
    this.#listener = await enter(endpoint, place, {
      user: `listener-${this.room}`,
      onFrame: ({ method, params }) => {
        if (method !== "receiveMessage") return;
        const n = Number(params[1]);
        const { at, mood } = this.#said[n]!;
        this.heard.push(n);
        const known = this.latencies.get(mood) ?? [];
        this.latencies.set(mood, known);
        known.push(performance.now() - at);
      },
    });
  }

  speak(mood: string): void {
    clearInterval(this.#speaking);
    this.#speaking = setInterval(() => {
      const n = this.sent++;
      this.#said.push({ at: performance.now(), mood });
      this.#client.send({ jsonrpc: "2.0", method: "sendToRoom", params: [this.room, `${n}`] });
    }, EVERY_MS);
  }

  stop(): void {
    clearInterval(this.#speaking);
  }

  [Symbol.dispose](): void {
    this.stop();
    this.#client[Symbol.dispose]();
    this.#listener[Symbol.dispose]();
  }
}

const said = (room: string) =>
  receiver.taken.filter(
    ({ subject, data }) => subject === `group:${room}` && data.target === "receiveMessage",
  );

const quantile = (values: readonly number[], q: number): string =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length * q)]!.toFixed(1);

function report(speakers: readonly Speaker[]): void {
  const moods = speakers[0]!.latencies.keys();
  for (const mood of moods) {
    const all = speakers.flatMap(({ latencies }) => latencies.get(mood) ?? []);
    const [p50, p95, p99] = [0.5, 0.95, 0.99].map((q) => quantile(all, q));
    console.log(`receiver ${mood}: p50 ${p50} ms, p95 ${p95}, p99 ${p99} (${all.length})`);
  }
}

it(
  "a receiver that is down, slow and failing gets everything in each room's order, each event once",
  { timeout: LONG ? 600_000 : TEST_MS },
  async () => {
    using scope = new DisposableStack();
    const speakers = ROOMS.map((room) => scope.use(new Speaker(room)));
    await Promise.all(speakers.map((speaker) => speaker.enter()));
    const phase = async (mood: Mood, name: string, ms: number) => {
      await receiver.become(mood);
      for (const speaker of speakers) speaker.speak(name);
      await pause(ms);
    };
    await phase("fine", "not yet measured", 1_000);
    await phase("fine", "fine", CALM_MS);
    await phase("down", "down", OUTAGE_MS);
    await phase("slow", "slow", CALM_MS);
    // It is asked again only after the pauses that its outage has earned.
    const before = ROOMS.map((room) => said(room).length);
    const isBack = async () => ROOMS.every((room, i) => said(room).length > before[i]!);
    await eventually(isBack, "the slow receiver has heard of each room", 120_000);
    await phase("failing", "failing", CALM_MS);
    await phase("fine", "fine again", CALM_MS);
    for (const speaker of speakers) speaker.stop();
    report(speakers);
    const isComplete = async () => speakers.every(({ room, sent }) => said(room).length >= sent);
    await eventually(isComplete, "all events have arrived", LONG ? 400_000 : PATIENCE_MS);
    for (const { room, sent, heard } of speakers) {
      const numbers = Array.from({ length: sent }, (_, n) => n);
      expect(heard).toEqual(numbers);
      expect(said(room).map(({ data }) => Number(data.arguments[1]))).toEqual(numbers);
    }
    expect(new Set(receiver.taken.map(({ id }) => id)).size).toBe(receiver.taken.length);
    expect(receiver.unverified).toEqual([]);
    expect(receiver.requests.failing).toBeGreaterThan(0);
    // One request under way for each object that has something to tell.
    expect(receiver.mostAtOnce).toBeLessThanOrEqual(ROOMS.length);
    for (const room of ROOMS)
      expect(
        receiver.taken
          .filter(
            ({ type, data }) => type === "dormouse.connected" && data.room === `group:${room}`,
          )
          .map(({ data }) => data.userId)
          .toSorted(),
      ).toEqual([`listener-${room}`, `speaker-${room}`]);
  },
);
