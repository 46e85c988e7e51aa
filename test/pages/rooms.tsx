// Twenty rooms of a chat on one socket, or an auction, with React: e2e/components.test.ts checks its output.

import { memo, StrictMode, Suspense, use, useEffect, useRef, useState } from "react";
import { createRoot } from "react-dom/client";
import type { AuctionHub } from "../../src/hubs/auction.ts";
import type { ChatHub } from "../../src/hubs/chat.ts";
import {
  hubAt,
  useConnection,
  useHistory,
  useHub,
  usePresence,
  useRoomState,
  useRun,
  type RoomText,
} from "../../src/react/index.ts";

const query = new URLSearchParams(location.search);
const Chat = hubAt<ChatHub>(query.get("hub") ?? "/hubs/chat", {
  token: query.get("token") ?? "",
  oneSocket: true,
  backoff: { baseMs: 50, capMs: 500 },
});
const names = Array.from({ length: 20 }, (_, i) => `${query.get("room")}-${i}`);

/** Resolves when the page says so: a component that suspends after its hooks have run. */
const gate = Promise.withResolvers<string>();

function Room({ name }: { readonly name: string }) {
  const room: RoomText = `group:${name}`;
  const chat = useHub(Chat, { room });
  const { members } = usePresence(chat);
  const { messages, isLoading } = useHistory(chat, { limit: 10 });
  const connection = useConnection(chat);
  const texts = messages.flatMap((message) =>
    message.method === "receiveMessage" ? message.params[1] : [],
  );
  return (
    <section aria-label={name}>
      <output>{chat.state.status}</output>
      <p title="Members">{[...members.keys()].toSorted().join(", ")}</p>
      <p title="States">{[...members.values()].map(({ state }) => JSON.stringify(state)).join()}</p>
      <p title="Messages">{isLoading ? "loading" : texts.join(", ")}</p>
      <button onClick={() => void chat.invoke.sendToRoom(name, `to ${name}`)}>Send</button>
      <button onClick={() => void connection?.track({ typing: true })}>Type</button>
    </section>
  );
}

function Late() {
  const { state } = useHub(Chat, { room: `group:${query.get("room")}-late` });
  return <p title="Late">{`${use(gate.promise)} ${state.status}`}</p>;
}

const Auctions = hubAt<AuctionHub>(query.get("auctions") ?? "/hubs/auctions", {
  token: query.get("token") ?? "",
  guesses: { bid: (auction, amount) => void (auction.price = amount) },
});
const vase: RoomText = `group:${query.get("room")}`;

/** Counts how often it is rendered, by its own hook alone. */
const Leader = memo(function Leader() {
  const leader = useRoomState(Auctions, vase, (auction) => auction.leader);
  const renders = useRef<HTMLElement>(null);
  useEffect(() => {
    renders.current!.textContent = `${Number(renders.current!.textContent) + 1}`;
  });
  return (
    <p>
      <span title="Leader">{leader}</span>, <i title="Renders" ref={renders} />
    </p>
  );
});

function Auction() {
  const price = useRoomState(Auctions, vase, (auction) => auction.price);
  const { bid } = useRun(Auctions, vase);
  const [failure, setFailure] = useState("");
  const offer = (amount: number) =>
    bid(amount).then(String, ({ code }: { code: string }) => setFailure(code));
  return (
    <>
      <p title="Price">{price}</p>
      <p title="Failure">{failure}</p>
      <Leader />
      <button onClick={() => void offer((price ?? 0) + 10)}>Bid</button>
      <button onClick={() => void offer(1)}>Bid too little</button>
    </>
  );
}

function App() {
  const [shown, setShown] = useState(names);
  return (
    <>
      <button onClick={() => setShown(names.slice(0, 1))}>One room</button>
      <button onClick={() => gate.resolve("there,")}>Go on</button>
      {shown.map((name) => (
        <Room key={name} name={name} />
      ))}
      <Suspense fallback={<p title="Late">suspended</p>}>
        <Late />
      </Suspense>
    </>
  );
}

createRoot(document.body.appendChild(document.createElement("main"))).render(
  <StrictMode>{query.has("auctions") ? <Auction /> : <App />}</StrictMode>,
);
