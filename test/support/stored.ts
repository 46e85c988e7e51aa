// What an object has in its storage, counted: tables beside the platform's own, keys, and whether an alarm is set.

import { runInDurableObject } from "cloudflare:test";

export interface Stored {
  readonly tables: number;
  readonly keys: number;
  readonly alarm: boolean;
}

export const NOTHING: Stored = { tables: 0, keys: 0, alarm: false };

export const storedIn = (stub: unknown): Promise<Stored> =>
  runInDurableObject(stub as DurableObjectStub, async (_, { storage }) => ({
    tables: storage.sql
      .exec("SELECT name FROM sqlite_master WHERE substr(name, 1, 4) <> '_cf_'")
      .toArray().length,
    keys: [...storage.kv.list()].length,
    alarm: (await storage.getAlarm()) !== null,
  }));
