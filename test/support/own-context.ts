// Tests run in the I/O context of vitest's own object. One that awaits a promise which hub code, an object or the
// worker resolved goes on inside theirs, and all after it as well; when that ends, the run stops without a word, since
// timers and time limits end with it. So that is a failure, where it happens.

import { afterEach } from "vitest";

const [ours, theirs] = Object.values(new WebSocketPair()) as [WebSocket, WebSocket];
for (const end of [ours, theirs]) end.accept();

let hasLeft = false;

afterEach(() => {
  if (hasLeft) return;
  try {
    ours.send("here");
  } catch (error) {
    hasLeft = true;
    throw new Error("This test went on inside what woke it: poll for what happens in there.", {
      cause: error,
    });
  }
});
