// The isolate's heap, by the inspector that workerd serves.

import { WebSocket } from "ws";

export interface Heap {
  /** Bytes of JavaScript values that are alive, and of the buffers that they hold. */
  readonly alive: number;
}

interface Answer {
  readonly id: number;
  readonly result: { readonly usedSize: number; readonly backingStorageSize?: number };
}

/** One isolate holds the worker and all its objects. */
export async function heapOf(port: number): Promise<Heap> {
  const response = await fetch(`http://127.0.0.1:${port}/json`);
  const [target] = (await response.json()) as { webSocketDebuggerUrl: string }[];
  const socket = new WebSocket(target!.webSocketDebuggerUrl);
  await new Promise((resolve, reject) => socket.once("open", resolve).once("error", reject));
  try {
    const { result } = await ask(socket, "Runtime.getHeapUsage");
    return { alive: result.usedSize + (result.backingStorageSize ?? 0) };
  } finally {
    socket.terminate();
  }
}

function ask(socket: WebSocket, method: string): Promise<Answer> {
  return new Promise((resolve) => {
    // The engine also tells of what it was not asked; that has no id.
    socket.on("message", (data: Buffer) => {
      const answer = JSON.parse(data.toString()) as Partial<Answer>;
      if (answer.id === 1) resolve(answer as Answer);
    });
    socket.send(JSON.stringify({ id: 1, method }));
  });
}
