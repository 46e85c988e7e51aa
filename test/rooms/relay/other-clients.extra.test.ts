// Requests of clients in other languages, as their sources write them (docs/design/signalr-clients.md has the
// versions). Their messages are in test/protocols/other-clients.test.ts.

import { exports } from "cloudflare:workers";
import { expect, it } from "vitest";
import { token, upgrade } from "../client.ts";
import { negotiate, type Negotiated } from "./client.ts";

const RS = "\u001e";
const HANDSHAKE = `{"protocol": "json", "version": 1}${RS}`;
const HUB = "https://edge.example/hubs/signalr";

const bytes = (text: string) => new TextEncoder().encode(text);

/** A request of alice's, as its status and body. */
async function request(url: string, init: RequestInit = {}): Promise<[number, string]> {
  const headers = { authorization: `Bearer ${await token("alice")}`, ...init.headers };
  const response = await exports.default.fetch(url, { ...init, headers });
  return [response.status, new TextDecoder().decode(await response.arrayBuffer())];
}

const post = (url: string, body: string | Uint8Array, type = "application/octet-stream") =>
  request(url, { method: "POST", body, headers: { "content-type": type } });

/** Everything that came over a socket, as text or in hexadecimal digits, and the code of its close. */
function listen({ webSocket }: Response) {
  const socket = webSocket!;
  const heard: string[] = [];
  let code: number | undefined;
  socket.binaryType = "arraybuffer";
  socket.addEventListener("message", ({ data }) => {
    heard.push(typeof data === "string" ? data : new Uint8Array(data as ArrayBuffer).toHex());
  });
  socket.addEventListener("close", (event) => void (code = event.code));
  socket.accept();
  const said = (frame: string) => expect.poll(() => heard.shift()).toBe(frame);
  return { socket, said, code: () => code };
}

const socketOf = async (id: string) =>
  listen(
    await upgrade(`/hubs/signalr?id=${id}`, { authorization: `Bearer ${await token("alice")}` }),
  );

// philippseith/signalr: httpconnection.go (NewHTTPConnection); baking-bad/pysignalr: transport/websocket.py (_negotiate).
it("Go and pysignalr negotiate without a version, and take the id for the token", async () => {
  const [status, body] = await request(`${HUB}/negotiate`, { method: "POST" });
  const negotiated = JSON.parse(body) as Negotiated & { readonly negotiateVersion: number };
  // Go 0.6 reads the version as a number only.
  expect([status, negotiated.negotiateVersion, negotiated.connectionToken]).toEqual([
    200,
    0,
    undefined,
  ]);
  const client = await socketOf(encodeURIComponent(negotiated.connectionId));
  client.socket.send(HANDSHAKE);
  // Go discards what follows the handshake's answer in its frame.
  await client.said(`{}${RS}`);
  client.socket.send(`{"type": 6}${RS}`);
  await client.said(`{"type":6}${RS}`);
});

// dotnet/aspnetcore: HubConnection.java (startNegotiate); dotnet/signalr-client-swift: HttpConnection.swift;
// sefidgaran/signalr_client: http_connection.dart (_createConnectUrl).
it("Java, Swift and Dart put the token into the URL without encoding it", async () => {
  const { connectionToken } = await negotiate("signalr");
  expect(connectionToken).toMatch(/^[\w@:.-]+$/);
  const client = await socketOf(connectionToken);
  // OkHttpWebSocketWrapper.java sends all frames as binary.
  client.socket.send(bytes(`{"protocol":"json","version":1}${RS}`));
  await client.said(`{}${RS}`);
  client.socket.send(bytes(`{"type":6}${RS}`));
  await client.said(`{"type":6}${RS}`);
});

// sefidgaran/signalr_client: an earlier web_socket_transport.dart without a token factory.
it("Dart's empty bearer is no token, so that it may be a guest", async () => {
  const { status } = await upgrade("/hubs/guests", { authorization: "Bearer " });
  expect(status).toBe(101);
});

// szarykott/signalrs: builder.rs (connect_websocket) negotiates, and does not use the id.
it("signalrs opens its socket with an empty query", async () => {
  const headers = { authorization: `Bearer ${await token("alice")}` };
  const response = await upgrade("/hubs/signalr?", headers);
  expect(response.status).toBe(101);
  const client = listen(response);
  client.socket.send(`{"protocol":"json","version":1}${RS}`);
  await client.said(`{}${RS}`);
});

// philippseith/signalr: an earlier messagepackhubprotocol.go reads the third item of a Close unasked, and panics.
it("Go gets three items in a Close of MessagePack", async () => {
  const { connectionToken } = await negotiate("signalr");
  const client = await socketOf(connectionToken);
  client.socket.send(`{"protocol":"messagepack","version":1}${RS}`);
  await client.said(bytes(`{}${RS}`).toHex());
  const abort = [0x96, 1, 0x80, 0xc0, 0xa5, ...bytes("Abort"), 0x90, 0x90];
  client.socket.send(Uint8Array.of(abort.length, ...abort));
  await client.said("049307c0c2");
  await expect.poll(client.code).toBe(1000);
});

// dotnet/aspnetcore: LongPollingTransport.java (start, poll, send, stop): DELETE while a poll hangs, whose end it awaits.
it("Java's poll ends with its DELETE", async () => {
  const { connectionToken } = await negotiate("signalr");
  const url = `${HUB}?id=${connectionToken}`;
  expect(await request(`${url}&_=1796201180000`)).toEqual([200, ""]);
  expect(await post(url, `{"protocol":"json","version":1}${RS}`, "text/plain")).toEqual([200, ""]);
  expect(await request(`${url}&_=1796201180001`)).toEqual([200, `{}${RS}`]);
  const hanging = request(`${url}&_=1796201180002`);
  expect(await request(url, { method: "DELETE" })).toEqual([202, ""]);
  expect(await hanging).toEqual([200, `{"type":7}${RS}`]);
  expect(await request(`${url}&_=1796201180003`)).toEqual([204, ""]);
});

// BestHTTP: LongPollingTransport.cs: the handshake before the first poll, whose empty answer it takes for a ping.
it("BestHTTP polls for its handshake's answer until it comes", async () => {
  const { connectionToken } = await negotiate("signalr");
  const url = `${HUB}?id=${connectionToken}`;
  const poll = () => request(url, { headers: { accept: " application/octet-stream" } });
  expect(await post(url, HANDSHAKE)).toEqual([200, ""]);
  expect([await poll(), await poll()]).toEqual([
    [200, ""],
    [200, `{}${RS}`],
  ]);
});

// mandrewcito/signalrcore: sse_transport.py (on_open) posts its handshake twice, first without a separator.
it("signalrcore opens a stream of events", async () => {
  const [, body] = await request(`${HUB}/negotiate`, {
    method: "POST",
    headers: { "content-type": "application/json" },
  });
  const url = `${HUB}?id=${encodeURIComponent((JSON.parse(body) as Negotiated).connectionId)}`;
  const headers = {
    ...{ authorization: `Bearer ${await token("alice")}`, accept: "text/event-stream" },
    "cache-control": "no-cache",
  };
  const stream = (await exports.default.fetch(url, { headers })).body!;
  const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  const next = async () => (await reader.read()).value;
  expect(await next()).toBe(":\r\n");
  expect(await post(url, HANDSHAKE.slice(0, -1))).toEqual([200, ""]);
  expect(await post(url, HANDSHAKE, "application/json")).toEqual([200, ""]);
  expect(await next()).toBe(`data: {}${RS}\r\n\r\n`);
  await reader.cancel();
});
