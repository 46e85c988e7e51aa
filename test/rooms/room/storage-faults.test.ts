// [R6] Every call to storage fails, once or for good: those of a room, its index, a relay and an account, in the order
// in which a small life of a room makes them. What is acknowledged is kept and heard, what failed is an error and no
// silence, nothing takes an offset twice, and all serve again once the storage does.

import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { afterEach, beforeAll, expect, it, vi } from "vitest";
import { sizeOf } from "../../support/seed.ts";
import { Client, enter, roomAt, token, upgrade, type Frame } from "../client.ts";

afterEach(() => void vi.restoreAllMocks());

// A wake's parts are made many calls deep.
Object.assign(Error, { stackTraceLimit: 50 });

/** Methods of the platform's storage, all of which an object of ours calls by its own. */
const METHODS = {
  sql: ["exec"],
  kv: ["get", "put", "delete", "list"],
  storage: ["setAlarm", "deleteAlarm", "deleteAll", "transactionSync"],
} as const;

type Fault = "once" | "always";

/** Counts calls of all objects, and lets one fail: `at` is its number, from 1 on. */
class Faults {
  calls = 0;
  readonly sites: string[] = [];
  at = Infinity;
  fault: Fault = "once";
  /** Whether an object failed as it woke: the engine closes its sockets then (docs/design/storage.md#os5). */
  isOfWake = false;
  #failed = 0;
  #site = "";

  get hasFailed(): boolean {
    return this.#failed > 0;
  }

  begin(at: number, fault: Fault): void {
    [this.calls, this.at, this.fault, this.#failed, this.#site] = [0, at, fault, 0, ""];
    this.sites.length = 0;
    this.isOfWake = false;
  }

  mend(): void {
    this.at = Infinity;
    this.#site = "";
  }

  /** Before each call. Those of the test's own helpers do not count. */
  check(site: string): void {
    this.calls += 1;
    this.sites.push(site);
    if (this.calls === this.at) this.#site = site;
    const fails = this.calls === this.at || (this.fault === "always" && site === this.#site);
    if (!fails || this.#site === "") return;
    this.#failed += 1;
    const error = new Error(`SQLITE_FULL: database or disk is full (${site}).`);
    this.isOfWake ||= /ObjectStart|#partsOrFault/.test(error.stack!);
    throw error;
  }
}

const faults = new Faults();

/** Replaces methods on the prototypes, for objects that are still to be made as well. */
const patch = ({ storage }: DurableObjectState): void => {
  const owners = { sql: storage.sql, kv: storage.kv, storage };
  for (const [owner, names] of Object.entries(METHODS))
    for (const name of names) {
      const prototype = Object.getPrototypeOf(owners[owner as keyof typeof owners]);
      const real = prototype[name] as (...args: unknown[]) => unknown;
      prototype[name] = function call(...args: unknown[]) {
        const what =
          typeof args[0] === "string" ? args[0].replaceAll(/\s+/g, " ").slice(0, 40) : "";
        try {
          faults.check(`${owner}.${name} ${what}`);
        } catch (error) {
          if (/Alarm|All/.test(name)) return Promise.reject(error);
          throw error;
        }
        return real.apply(this, args);
      };
    }
};

// After the file's storage was emptied, which aborts all objects.
beforeAll(() => runInDurableObject(roomAt("chat/group:patched"), (_, state) => patch(state)));

/** As long as anything may take; silence is a violation. */
const PATIENCE_MS = 4_000;
const SILENCE = Symbol("silence");

function within<T>(work: Promise<T>): Promise<T | typeof SILENCE> {
  const late = new Promise<typeof SILENCE>((resolve) =>
    setTimeout(() => resolve(SILENCE), PATIENCE_MS),
  );
  return Promise.race([work, late]);
}

/** On a relay, in the room. */
async function enterByRelay(room: string): Promise<Client> {
  const query = new URLSearchParams({ access_token: await token("bob") });
  const { webSocket, status } = await upgrade(`/hubs/chat/rpc?${query}`);
  if (!webSocket) throw new Error(`Refused: ${status}`);
  const client = new Client(webSocket);
  const { error } = await client.call("$/join", { room });
  if (error) throw new Error(error.message);
  return client;
}

class Life {
  readonly room: string;
  readonly acked: string[] = [];
  readonly wrong: string[] = [];
  readonly clients: Client[] = [];

  constructor(room: string) {
    this.room = room;
  }

  get #name(): string {
    return this.room.slice("group:".length);
  }

  /** Tries three times, as clients do. */
  async comes(attempt: () => Promise<Client>): Promise<Client | undefined> {
    for (let tries = 0; tries < 3; tries += 1) {
      const client = await within(attempt().catch(() => undefined));
      if (client === SILENCE) this.wrong.push("a connect was neither let in nor refused");
      else if (client) return (this.clients.push(client), client);
    }
    return undefined;
  }

  /** Answered, refused, or ended with its connection. */
  async calls(client: Client | undefined, method: string, params: unknown): Promise<boolean> {
    if (!client) return false;
    const ended = client.closed.then(() => undefined);
    const answer = await within(Promise.race([client.call(method, params), ended])).catch(
      () => undefined,
    );
    // In this engine a socket whose object did not wake is not closed, as it is in a server's.
    if (answer === SILENCE && !faults.isOfWake) this.wrong.push(`${method} was not answered`);
    return typeof answer === "object" && answer.error === undefined;
  }

  async says(client: Client | undefined, word: string): Promise<void> {
    if (await this.calls(client, "sendToRoom", [this.#name, word])) this.acked.push(word);
  }

  async run(): Promise<void> {
    const alice = await this.comes(() => enter(`chat/${this.room}`, { user: "alice" }));
    const bob = await this.comes(() => enterByRelay(this.room));
    for (const word of ["1", "2", "3"]) await this.says(alice, word);
    await this.says(bob, "4");
    await this.calls(alice, "$/track", { state: "busy" });
    await this.calls(bob, "$/history", { room: this.room, limit: 10 });
    await evictDurableObject(roomAt(`chat/${this.room}`)).catch(() => {});
    await this.says(alice, "5");
    await this.says(bob, "6");
    await this.calls(bob, "$/leave", { room: this.room });
    await runDurableObjectAlarm(roomAt(`chat/${this.room}`)).catch(() => {});
    await this.says(alice, "7");
  }

  /** With a storage that works again. */
  async check(): Promise<void> {
    const carol = await this.comes(() => enter(`chat/${this.room}`, { user: "carol" }));
    await this.says(carol, "8");
    if (this.acked.at(-1) !== "8") return void this.wrong.push("the room does not serve again");
    const { result } = await carol!.call("$/history", { limit: 100 });
    const kept = result.messages as Frame[];
    this.#compare(kept);
  }

  #compare(kept: readonly Frame[]): void {
    const words = said(kept);
    const offsets = kept.map(({ position }) => Number(position!.split(":")[1]));
    if (new Set(offsets).size < offsets.length) this.wrong.push(`offsets ${offsets.join()}`);
    for (const word of this.acked)
      if (words.filter((one) => one === word).length !== 1)
        this.wrong.push(`${word} was acknowledged, and kept is ${words.join()}`);
    const at = new Map(kept.map(({ position, params }) => [position, params[1]]));
    for (const { heard } of this.clients)
      for (const { method, position, params } of heard)
        if (method === "receiveMessage" && at.get(position) !== params[1])
          this.wrong.push(`${params[1]} was heard at ${position}, and kept is ${words.join()}`);
  }
}

const said = (frames: readonly Frame[]): string[] =>
  frames.filter(({ method }) => method === "receiveMessage").map(({ params }) => params[1]);

let lives = 0;

/** What is wrong with a life in which this call fails; undefined where there was no such call. */
async function live(at: number, fault: Fault): Promise<string[] | undefined> {
  const life = new Life(`group:storage ${++lives}`);
  faults.begin(at, fault);
  await life.run();
  const { hasFailed } = faults;
  const site = faults.sites[at - 1];
  faults.mend();
  await life.check();
  for (const client of life.clients) client[Symbol.dispose]();
  if (at < Infinity && !hasFailed) return undefined;
  return life.wrong.map((what) => `${fault}, call ${at}, ${site}: ${what}`);
}

/** Of the calls to storage in a life: each, or a sample. */
const STEP = sizeOf(25, 1);

it(
  "[R6] nothing acknowledged is lost and nothing is silent, whichever call to storage fails",
  async () => {
    vi.spyOn(console, "error").mockImplementation(() => {});
    vi.spyOn(console, "warn").mockImplementation(() => {});
    expect(await live(Infinity, "once")).toEqual([]);
    let cases = 0;
    const wrong: string[] = [];
    const sites = new Set<string>();
    for (const fault of ["once", "always"] as const)
      for (let at = 1; ; at += STEP) {
        const found = await live(at, fault);
        if (!found) break;
        cases += 1;
        sites.add(faults.sites[at - 1] ?? "");
        wrong.push(...found);
      }
    console.log(`${cases} cases, ${sites.size} kinds of calls`);
    expect(wrong).toEqual([]);
    expect(cases).toBeGreaterThan(sizeOf(5, 200));
  },
  sizeOf(60_000, 1_500_000),
);
