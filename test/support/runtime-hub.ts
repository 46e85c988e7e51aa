// A hub whose every handler notes a variable of its `env`, and notes it again in the background.

import * as z from "zod";
import { authorize, feed, hub, method, stream, streamOf, type Runtime } from "../../src/hub.ts";

/** What was noted, by handlers of the worker and of its objects. */
const trace: string[] = [];

function note(context: Runtime, where: string): true {
  trace.push(`${where}: ${context.env.JWT_ISSUER}`);
  context.waitUntil(Promise.resolve().then(() => trace.push(`${where}, later`)));
  return true;
}

const works: PromiseWithResolvers<void>[] = [];

export const RuntimeHub = hub("runtime", {
  authorize: (call) => note(call, call.method === undefined ? "authorize" : "authorize a call"),
  rooms: {
    group: {
      enter: (call) => note(call, "enter"),
      history: (call) => note(call, "history"),
    },
  },
  connected: (context) => void note(context, "connected"),
  disconnected: (context) => void note(context, "disconnected"),
  joined: (context) => void note(context, "joined"),
  left: (context) => void note(context, "left"),
  presenceChanged: (context) => void note(context, "presenceChanged"),
})
  .use({
    invoke(call, next) {
      note(call.context, "filter");
      return next();
    },
    connected(context, next) {
      note(context, "filter of connected");
      return next();
    },
    disconnected(context, _error, next) {
      note(context, "filter of disconnected");
      return next();
    },
  })
  .methods({
    call: authorize((call) => note(call, "policy")).method([], (context) =>
      note(context, "method"),
    ),
    count: stream([], async function* (context) {
      yield note(context, "stream");
    }),
    send: method([streamOf(z.unknown())], async (context, items) => {
      for await (const item of items) note(context, `upload of ${item}`);
    }),
    fail: method([], ({ waitUntil }) => waitUntil(Promise.reject(new Error("in the background")))),
    /** Work that ends with `finish`. */
    begin: method([], ({ waitUntil }) => {
      const work = Promise.withResolvers<void>();
      works.push(work);
      waitUntil(work.promise);
    }),
    finish: method([], () => {
      for (const { resolve } of works.splice(0)) resolve();
    }),
    trace: method([], () => trace.splice(0)),
  });

export const runtimeFeed = feed("/runtime/:name", RuntimeHub, {
  async room({ params, ...request }) {
    note(request, "feed");
    return `group:${params["name"]}`;
  },
  events: {},
});
