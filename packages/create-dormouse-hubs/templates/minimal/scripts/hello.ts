// A client in the terminal: npm run hello -- "$(npm run -s token -- alice)"

import { connect } from "dormouse-hubs/client";
import type { GreetingHub } from "../src/greetings.ts";

const greetings = connect<GreetingHub>("http://127.0.0.1:8787/hubs/greetings", {
  room: "group:lobby",
  token: process.argv[2]!,
  handlers: { greeted: (from, text) => console.log(`${from}: ${text}`) },
});
await greetings.invoke.greet("hello");
console.log("Listening. Ctrl-C ends it.");
