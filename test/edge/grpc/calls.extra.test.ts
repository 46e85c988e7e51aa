// Publish, Invoke and Upload by generated clients, in every protocol that is served.

import { toJson } from "@bufbuild/protobuf";
import { ValueSchema } from "@bufbuild/protobuf/wkt";
import { describe, expect, it } from "vitest";
import { enter, type Frame } from "../../rooms/client.ts";
import { as, clientBy, failure, PROTOCOLS, SERVICE } from "./client.ts";
import { list, publication, uploaded } from "./values.ts";

describe.each(PROTOCOLS)("over %s", (protocol) => {
  const client = clientBy(protocol);

  it("publishes what a room's clients hear, and tells its position", async () => {
    const room = `group:publish-${protocol}`;
    using bob = await enter(`plain/${room}`, { user: "bob" });
    const { position } = await client.publish(publication(room, "hello"), await as("s", SERVICE));
    const heard = await bob.next((frame) => frame.method === "said");
    expect([heard.params, heard.position]).toEqual([["hello"], position]);
  });

  it("says the same once under one key", async () => {
    const said = { ...publication(`group:once-${protocol}`, "x"), idempotencyKey: "k" };
    const options = await as("s", SERVICE);
    expect(await client.publish(said, options)).toEqual(await client.publish(said, options));
  });

  it("calls a method as the user", async () => {
    const request = { hub: "zoo", method: "echo", arguments: list([{ a: [1, null, "ü"] }]) };
    const { result } = await client.invoke(request, await as("alice"));
    expect(toJson(ValueSchema, result!)).toEqual({ a: [1, null, "ü"] });
  });

  it("uploads in order, and sums up", async () => {
    const room = `group:upload-${protocol}`;
    using bob = await enter(`plain/${room}`, { user: "bob" });
    async function* said() {
      for (let n = 0; n < 120; n++) yield uploaded(room, `${n}`, n === 0 ? "plain" : "");
    }
    const { accepted, failed, positions } = await client.upload(said(), await as("s", SERVICE));
    const heard: Frame[] = [];
    while (heard.length < 120) heard.push(await bob.next((frame) => frame.method === "said"));
    expect(heard.map(({ params }) => params[0])).toEqual(
      Array.from({ length: 120 }, (_, n) => `${n}`),
    );
    expect([accepted, failed, positions]).toEqual([120, 0, { [room]: heard.at(-1)!.position }]);
  });

  it("fails a call with one of gRPC's codes, and with ours", async () => {
    const nobody = client.publish(publication("group:a", "x"), await as("alice"));
    expect(await failure(nobody)).toEqual(["PermissionDenied", "forbidden"]);
  });
});
