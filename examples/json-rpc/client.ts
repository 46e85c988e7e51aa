// node client.ts <url> <token>: a batch by POST, without any library. On a socket: GET with an upgrade, the same
// frames.

const [, , url = "http://127.0.0.1:8787", token = ""] = process.argv;
const call = (id: number, method: string, params: unknown) => ({
  jsonrpc: "2.0",
  id,
  method,
  params,
});
const response = await fetch(`${url}/jsonrpc`, {
  method: "POST",
  headers: { "content-type": "application/json", authorization: `Bearer ${token}` },
  body: JSON.stringify([
    call(1, "add", { a: 1, b: 2 }),
    call(2, "divide", [1, 0]),
    { jsonrpc: "2.0", method: "add", params: [3, 4] }, // a notification: never answered
  ]),
});
if (!response.ok) throw new Error(await response.text());
interface Answer {
  readonly id: number;
  readonly result?: unknown;
  readonly error?: { readonly message: string };
}
const answers = (await response.json()) as Answer[];
const texts = answers
  .toSorted((a, b) => a.id - b.id)
  .map(({ result, error }) => error?.message ?? result);
console.log(texts.join(" · "));
