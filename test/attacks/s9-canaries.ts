// S9: words that stand in tokens and messages of every protocol, in calls that succeed and that fail: none is in the
// log, and none of a token is in an answer.

import type { Attack, Outcome, Stage } from "./attack.ts";
import { Peer, pause, request } from "./peer.ts";
import { signed, type Server } from "./server.ts";

const RS = "\u001e";
const BODY = "canary-of-a-body";
const CLAIM = "canary-of-a-claim";
const STATE = "canary-of-a-state";
/** Of a method that there is not: the log has its name, so that a developer finds it. */
const NAME = "noSuchMethod";

interface Answered {
  readonly tokens: string[];
  readonly texts: string[];
}

async function sockets(server: Server, token: string, { texts }: Answered): Promise<void> {
  for (const path of ["parties/hall/group:canary", "hubs/hall/rpc"]) {
    using peer = await Peer.open(`ws://127.0.0.1:${server.port}/${path}?access_token=${token}`);
    peer.socket.on("message", (data: Buffer) => texts.push(data.toString()));
    const calls: [string, unknown][] = [
      ["say", ["canary", BODY]],
      ["take", [BODY]],
      ["fail", [BODY]],
      ["say", ["canary", { wrong: BODY }]],
      [NAME, [BODY]],
      ["$/track", { room: "group:canary", state: { note: STATE } }],
      ["$/publish", { room: "group:canary", method: "said", params: [BODY] }],
      ["$/history", { room: "group:canary", since: BODY }],
      ["$/refresh", { token: `${token}x` }],
      ["$/join", { room: `group:${"x".repeat(300)}`, since: BODY }],
    ];
    for (const [method, params] of calls) await peer.call(method, params);
    for (const frame of [
      `{"jsonrpc":"2.0","method":"${BODY}`,
      `[${BODY}`,
      "x".repeat(40_000) + BODY,
    ])
      peer.send(frame);
    await pause(200);
  }
}

async function signalR(server: Server, token: string, { texts, tokens }: Answered): Promise<void> {
  const headers = { authorization: `Bearer ${token}` };
  const url = `${server.url}/hubs/hall`;
  const response = await fetch(`${url}/negotiate?negotiateVersion=1`, { method: "POST", headers });
  const { connectionToken } = (await response.json()) as { connectionToken: string };
  tokens.push(connectionToken);
  const id = encodeURIComponent(connectionToken);
  using peer = await Peer.open(
    `ws://127.0.0.1:${server.port}/hubs/hall?id=${id}&access_token=${token}`,
  );
  peer.onFrame = () => {};
  peer.socket.on("message", (data: Buffer) => texts.push(data.toString()));
  peer.send(`{"protocol":"json","version":1}${RS}`);
  for (const [target, args] of [
    ["take", [BODY]],
    ["fail", [BODY]],
    [NAME, []],
    ["say", [BODY]],
  ] as const)
    peer.send(JSON.stringify({ type: 1, invocationId: "1", target, arguments: args }) + RS);
  peer.send(`{"type":1,"target":"${BODY}${RS}`);
  await pause(300);
  // Once more with the used token, and with one that is nearly right.
  for (const used of [connectionToken, connectionToken.replace("_", "x_")]) {
    const again = `${url}?id=${encodeURIComponent(used)}`;
    for (const method of ["GET", "POST", "DELETE"])
      texts.push(
        await (
          await fetch(again, { method, headers, ...(method === "POST" && { body: BODY }) })
        ).text(),
      );
  }
}

async function http(server: Server, token: string, { texts }: Answered): Promise<void> {
  const send = async (path: string, init: RequestInit = {}): Promise<void> => {
    const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
    const response = await fetch(`${server.url}${path}`, { method: "POST", headers, ...init });
    if (!/event-stream/.test(response.headers.get("content-type") ?? ""))
      texts.push(await response.text());
    else await response.body?.cancel();
  };
  const rpc = (method: string, params: unknown) =>
    JSON.stringify({ jsonrpc: "2.0", id: 1, method, params });
  for (const body of [rpc("take", [BODY]), rpc("fail", [BODY]), rpc(NAME, []), `{"${BODY}`])
    await send("/hubs/hall/rpc", { body });
  await send("/api/hubs/hall/rooms/group%3Acanary/:publish", { body: `{"target":"${BODY}"` });
  await send(`/dormouse.v1.Hub/Invoke`, {
    body: JSON.stringify({ hub: "hall", method: NAME, params: [BODY] }),
  });
  const stream = { method: "GET", headers: { accept: "text/event-stream" } };
  await send(`/hubs/hall/groups/canary?access_token=${token}`, stream);
  for (const wrong of [
    `${token}x`,
    signed({ sub: CLAIM, exp: 1 }, "another key with 32 bytes or more!"),
    CLAIM,
  ]) {
    await send(`/hubs/hall/rpc?access_token=${wrong}`, { headers: {}, body: rpc("take", [BODY]) });
    await send("/api/hubs/hall/:send", {
      headers: { authorization: `Bearer ${wrong}` },
      body: BODY,
    });
  }
}

async function run({ server }: Stage): Promise<Outcome> {
  const token = server.token("alice", { jti: CLAIM, note: CLAIM });
  const answered: Answered = { tokens: [token, token.split(".")[2]!], texts: [] };
  await sockets(server, token, answered);
  await signalR(server, token, answered);
  await http(server, token, answered);
  const url = `${server.url}/api/hubs/hall/rooms/group%3Acanary/:publish`;
  const authorization = `Bearer ${server.serviceToken(url)}`;
  const body = JSON.stringify({ target: "said", arguments: [BODY] });
  await fetch(url, { method: "POST", headers: { authorization }, body });
  await request(server, "/hubs/hall/rpc", { user: "alice", method: "POST", body: BODY });
  await pause(1_000);
  const words = [
    BODY,
    CLAIM,
    STATE,
    ...answered.tokens,
    ...answered.tokens.map(encodeURIComponent),
  ];
  const logged = words.filter((word) => server.logs.includes(word));
  const told = answered.tokens.filter((word) => answered.texts.some((text) => text.includes(word)));
  const line = (word: string) =>
    server.logs
      .split("\n")
      .find((one) => one.includes(word))
      ?.slice(0, 200);
  return {
    facts: [`${server.logs.split("\n").length} lines of log, ${answered.texts.length} answers`],
    failures: [
      ...logged.map((word) => `in the log: ${line(word)}`),
      ...told.map(() => "a token is in an answer"),
    ],
  };
}

export const canaries: Attack = {
  ...{ name: "S9", title: "words of tokens and messages, looked for in the log", isWatched: false },
  vars: { LOG_CONNECTIONS: "1", LOG_REFUSED_CALLS: "1", DEVELOPMENT: "1" },
  ...{ takes: 10, run },
};
