// Patches of the engine's classes that count. Each is made once for each isolate.

import { counter, type Kind, type Made } from "./counter.ts";

type Method = (this: object, ...args: never[]) => unknown;

/** Replaces a method of a class; `replace` gets the original. */
function patch(owner: object, name: string | symbol, replace: (original: Method) => Method): void {
  const original = Reflect.get(owner, name) as Method;
  Reflect.set(owner, name, replace(original));
}

/** Counts each call under its label, and goes on by `run`. */
function patchCounted(
  owner: object,
  labels: Readonly<Record<string, string>>,
  run: (call: () => unknown) => unknown = (call) => call(),
): void {
  for (const [name, label] of Object.entries(labels))
    patch(
      owner,
      name,
      (original) =>
        function (this: object, ...args: never[]) {
          counter.add(label);
          return run(() => Reflect.apply(original, this, args));
        },
    );
}

const classOf = (value: object): object => Object.getPrototypeOf(value) as object;

const patched = new Set<object>();

/** Runs once for each class. */
function once(owner: object, run: (owner: object) => void): void {
  if (patched.has(owner)) return;
  patched.add(owner);
  run(owner);
}

/** Called by each object before it is built, so that its constructor counts. */
export function instrument(ctx: DurableObjectState, of: Made): void {
  const { storage } = ctx;
  once(classOf(ctx), pingNow);
  once(classOf(storage.sql), countRows);
  once(classOf(storage.kv), countKeys);
  once(classOf(storage), keepAlarms);
  counter.made(of, storage);
}

interface Cursor {
  readonly rowsRead: number;
  readonly rowsWritten: number;
}

function countRows(owner: object): void {
  patch(
    owner,
    "exec",
    (original) =>
      function (this: object, query: string, ...values: unknown[]) {
        const cursor = Reflect.apply(original, this, [query, ...values]) as Cursor;
        once(classOf(cursor), countReads);
        queryOf.set(cursor, query);
        addNewRows(cursor);
        return cursor;
      } as Method,
  );
}

const queryOf = new WeakMap<object, string>();
const counted = new WeakMap<object, Cursor>();

/** The rows of a cursor since they were last looked at. */
function addNewRows(cursor: Cursor): void {
  const before = counted.get(cursor) ?? { rowsRead: 0, rowsWritten: 0 };
  const { rowsRead, rowsWritten } = cursor;
  counted.set(cursor, { rowsRead, rowsWritten });
  counter.addRows(
    queryOf.get(cursor) ?? "",
    rowsRead - before.rowsRead,
    rowsWritten - before.rowsWritten,
  );
}

/** A cursor reads its rows when they are asked for. */
function countReads(owner: object): void {
  for (const name of ["toArray", "one"])
    patch(
      owner,
      name,
      (original) =>
        function (this: Cursor) {
          try {
            return Reflect.apply(original, this, []);
          } finally {
            addNewRows(this);
          }
        } as unknown as Method,
    );
  patch(owner, Symbol.iterator, (original) => {
    return function* (this: Cursor) {
      const rows = Reflect.apply(original, this, []) as Iterator<unknown>;
      for (let { value, done } = rows.next(); !done; { value, done } = rows.next()) {
        addNewRows(this);
        yield value;
      }
      addNewRows(this);
    } as unknown as Method;
  });
}

function countKeys(owner: object): void {
  patchCounted(owner, { get: "keys read", put: "keys written", delete: "keys written" });
  patch(
    owner,
    "list",
    (original) =>
      function (this: object, ...args: never[]) {
        const found = [...(Reflect.apply(original, this, args) as Iterable<unknown>)];
        counter.add("keys read", found.length);
        return found;
      },
  );
}

/** An object's alarm is kept by the counter, and rung by the test's clock. */
function keepAlarms(owner: object): void {
  const nameOf = (storage: object) => counter.ownerOf(storage)?.name;
  patch(
    owner,
    "setAlarm",
    (original) =>
      function (this: object, at: number | Date) {
        const name = nameOf(this);
        if (name === undefined) return Reflect.apply(original, this, [at]);
        counter.add("alarms set");
        counter.alarms.set(name, Number(at));
        return Promise.resolve();
      } as Method,
  );
  patch(
    owner,
    "getAlarm",
    (original) =>
      function (this: object) {
        const name = nameOf(this);
        if (name === undefined) return Reflect.apply(original, this, []);
        return Promise.resolve(counter.alarms.get(name) ?? null);
      },
  );
  patch(
    owner,
    "deleteAlarm",
    (original) =>
      function (this: object) {
        const name = nameOf(this);
        if (name === undefined) return Reflect.apply(original, this, []);
        counter.alarms.delete(name);
        return Promise.resolve();
      },
  );
}

function countKeyWork(owner: object): void {
  patchCounted(owner, { verify: "signatures verified", importKey: "keys imported" }, (call) =>
    counter.whileUnderWay(async () => call()),
  );
}

/** Longer ones are time limits, which end with what they limit. */
const SHORT_MS = 5_000;

function countTimers(): void {
  const [begin, end] = [globalThis.setTimeout, globalThis.clearTimeout];
  const running = new Set<unknown>();
  const over = (timer: unknown): void => {
    if (running.delete(timer)) counter.underWay -= 1;
  };
  globalThis.setTimeout = ((run: (...args: unknown[]) => void, ms = 0, ...args: unknown[]) => {
    const timer = begin(() => {
      over(timer);
      run(...args);
    }, ms);
    if (ms > SHORT_MS) return timer;
    counter.underWay += 1;
    running.add(timer);
    return timer;
  }) as typeof setTimeout;
  globalThis.clearTimeout = ((timer: number | null) => {
    over(timer);
    end(timer);
  }) as typeof clearTimeout;
}

const countPause = (original: Method): Method =>
  function (this: object, ...args: never[]) {
    return counter.whileUnderWay(
      async () => Reflect.apply(original, this, args) as Promise<unknown>,
    );
  };

/** Of the isolate, before anything runs. */
once(classOf(crypto.subtle), countKeyWork);
once(globalThis, countTimers);
once(scheduler, (owner) => patch(owner, "wait", countPause));

/**
 * The runtime answers pings while an object sleeps, and notes when, by the machine's clock. Clients that ping have just
 * done so by the test's.
 */
function pingNow(owner: object): void {
  patch(owner, "getWebSocketAutoResponseTimestamp", () => () => new Date());
}

/** Counts calls through the stubs of a namespace. */
export function countCalls(namespace: DurableObjectNamespace, kind: Kind): DurableObjectNamespace {
  const stubOf = (name: string, options?: DurableObjectNamespaceGetDurableObjectOptions) => {
    const stub = namespace.getByName(name, options);
    return new Proxy(stub, {
      get(target, method) {
        const value = Reflect.get(target, method) as unknown;
        if (typeof value !== "function" || method === "then") return value;
        return (...args: unknown[]) => {
          counter.add(`calls ${kind}.${String(method)}`);
          counter.use({ kind, name });
          return counter.whileUnderWay(
            async () => Reflect.apply(value, target, args) as Promise<unknown>,
          );
        };
      },
    });
  };
  return new Proxy(namespace, {
    get(target, property) {
      if (property === "getByName") return stubOf;
      const value = Reflect.get(target, property) as unknown;
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}
