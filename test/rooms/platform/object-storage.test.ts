// An object's first write makes all that was declared, or nothing.

import { expect, it } from "vitest";
import { objectStorageOf, withStorage } from "../storage.ts";

it("[R6] a first write that fails leaves the storage empty, and the next one makes all tables", () =>
  withStorage((real) => {
    const storage = objectStorageOf(real);
    storage.sql.exec("CREATE TABLE IF NOT EXISTS a (x)");
    storage.sql.exec("CREATE TABLE IF NOT EXISTS b (x)");
    let isFull = true;
    storage.atFirstWrite(() => {
      if (isFull) throw new Error("The disk is full.");
    });
    const insert = () => storage.sql.exec("INSERT INTO b VALUES (1)");
    expect(insert).toThrow("The disk is full.");
    expect(storage.isEmpty).toBe(true);
    const tables = "SELECT name FROM sqlite_master WHERE name IN ('a', 'b')";
    expect(real.sql.exec(tables).toArray()).toEqual([]);
    isFull = false;
    insert();
    expect(storage.sql.exec("SELECT * FROM b").toArray()).toEqual([{ x: 1 }]);
    expect(storage.sql.exec("SELECT * FROM a").toArray()).toEqual([]);
  }));
