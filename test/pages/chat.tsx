// A chat as an application would write it with our hooks, for a real browser. e2e/react.test.ts checks its output.

import { StrictMode, useState, type SyntheticEvent } from "react";
import { createRoot } from "react-dom/client";
import type { ChatHub } from "../../src/hubs/chat.ts";
import { hubAt, useHub, usePresence, type HubRoom } from "../../src/react/index.ts";

const query = new URLSearchParams(location.search);
const Chat = hubAt<ChatHub>(query.get("hub") ?? "/hubs/chat", {
  token: query.get("token") ?? "",
  backoff: { baseMs: 50, capMs: 500 },
});

function App() {
  const [name, setName] = useState(query.get("room") ?? "lobby");
  const [isThere, setThere] = useState(true);
  const [version, setVersion] = useState(0);
  return (
    <>
      <button onClick={() => setName(`${name}-next`)}>Next room</button>
      <button onClick={() => setThere(!isThere)}>Toggle</button>
      <button onClick={() => setVersion(version + 1)}>Replace</button>
      {isThere ? <Room key={version} name={name} /> : <p>Nowhere</p>}
    </>
  );
}

function Room({ name }: { readonly name: string }) {
  const [lines, setLines] = useState<readonly string[]>([]);
  const [text, setText] = useState("");
  const [isLoud, setLoud] = useState(false);
  const chat = useHub(Chat, {
    room: `group:${name}`,
    handlers: {
      receiveMessage(user, message) {
        const line = `${user}: ${isLoud ? message.toUpperCase() : message}`;
        setLines((before) => [...before, line]);
      },
    },
  });
  const say = async (event: SyntheticEvent) => {
    event.preventDefault();
    setText("");
    await chat.invoke.sendToRoom(name, text);
  };
  return (
    <form onSubmit={say}>
      <h1>{name}</h1>
      <output>{chat.state.status}</output>
      <input aria-label="Message" value={text} onChange={({ target }) => setText(target.value)} />
      <label>
        <input type="checkbox" checked={isLoud} onChange={() => setLoud(!isLoud)} /> Loud
      </label>
      <ol>
        {lines.map((line, i) => (
          <li key={i}>{line}</li>
        ))}
      </ol>
      <Members chat={chat} />
      <Counter room={chat.room} />
    </form>
  );
}

function Members({ chat }: { readonly chat: HubRoom<ChatHub> }) {
  const { members } = usePresence(chat);
  return <p title="Members">{[...members.keys()].toSorted().join(", ")}</p>;
}

/** Separate from the chat's own component, and on the same connection. */
function Counter({ room }: Pick<HubRoom<ChatHub>, "room">) {
  const [count, setCount] = useState(0);
  useHub(Chat, { room, handlers: { receiveMessage: () => setCount((n) => n + 1) } });
  return <p title="Heard">{count}</p>;
}

createRoot(document.body.appendChild(document.createElement("main"))).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
