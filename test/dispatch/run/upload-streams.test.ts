// The bounds of a client's stream: unread items count until they are read or dropped, each once.

import { expect, it } from "vitest";
import { UploadStream } from "../../../src/dispatch/run/upload-streams.ts";

/** A stream of three items and 100 bytes at most, and the memory that it holds; `most` is all that there is. */
function uploading(most = Infinity) {
  const memory = { held: 0 };
  const take = (bytes: number) => {
    if (memory.held + bytes > most) return false;
    memory.held += bytes;
    return true;
  };
  const held = { take, release: (bytes: number) => void (memory.held -= bytes) };
  const upload = new UploadStream({ items: 3, bytes: 100, held });
  return { upload, memory, reader: upload[Symbol.asyncIterator]() };
}

it("takes more for as long as its reader reads, and holds nothing at its end", async () => {
  const { upload, memory, reader } = uploading();
  for (let n = 1; n <= 5; n++) {
    upload.push(n, 60);
    expect(await reader.next()).toEqual({ done: false, value: n });
  }
  expect(memory.held).toBe(0);
  upload.push(6, 60);
  upload.end(null);
  upload.push(7, 10);
  expect([await reader.next(), await reader.next()]).toEqual([
    { done: false, value: 6 },
    { done: true, value: undefined },
  ]);
  expect(memory.held).toBe(0);
});

it.each([
  ["items", [1, 1, 1, 1], "rate_limited"],
  ["bytes", [60, 40, 1], "rate_limited"],
  ["memory", [1, 1, 1], "busy", 2],
] as const)(
  "fails beyond its %s, after what it has taken",
  async (_, sizes, code, most?: number) => {
    const { upload, memory, reader } = uploading(most);
    for (const size of sizes) upload.push(size, size);
    upload.end(null);
    for (const size of sizes.slice(0, -1))
      expect(await reader.next()).toMatchObject({ value: size });
    await expect(reader.next()).rejects.toMatchObject({ code });
    expect(memory.held).toBe(0);
  },
);

it("holds nothing once it is dropped or its reader has stopped, and takes nothing more", async () => {
  const [dropped, stopped] = [uploading(), uploading()];
  for (const { upload } of [dropped, stopped]) for (const n of [1, 2, 3]) upload.push(n, 10);
  dropped.upload.drop();
  await stopped.reader.next();
  await stopped.reader.return!();
  for (const { upload, memory } of [dropped, stopped]) {
    upload.push(4, 10);
    expect(memory.held).toBe(0);
  }
  expect(await dropped.reader.next()).toEqual({ done: true, value: undefined });
});
