// A process that stops itself in the middle of a call, as e2e/waking.test.ts starts it: `hub token`. Writes `stopping`,
// and after it was woken what became of call and connection, as JSON.

import { writeSync } from "node:fs";
import { sleepInCall } from "../pages/sleeper.ts";

const [hub = "", token = ""] = process.argv.slice(2);
const slept = await sleepInCall(hub, token, () => {
  writeSync(1, "stopping\n");
  process.kill(process.pid, "SIGSTOP");
});
console.log(JSON.stringify(slept));
