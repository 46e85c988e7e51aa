import { StrictMode, useState } from "react";
import { createRoot } from "react-dom/client";
import { chatOf, type Chat } from "./chat-at.ts";
import { Room } from "./room.tsx";

function App() {
  const [chat, setChat] = useState<Chat>();
  const [name, setName] = useState("");
  if (chat) return <Room chat={chat} name="lobby" />;
  return (
    <>
      <h1>Chat</h1>
      <form onSubmit={(event) => (event.preventDefault(), setChat(chatOf(name.trim())))}>
        <input
          aria-label="Your name"
          autoFocus
          maxLength={128}
          onChange={(event) => setName(event.target.value)}
          placeholder="Your name"
          value={name}
        />
        <button disabled={name.trim() === ""}>Enter</button>
      </form>
    </>
  );
}

createRoot(document.getElementById("root")!).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
