import { useHistory, useHub, usePresence } from "dormouse-hubs/react";
import { useState } from "react";
import type { Chat } from "./chat-at.ts";

/** One room: its messages, from history on, and the people in it. */
export function Room({ chat, name }: { readonly chat: Chat; readonly name: string }) {
  const room = useHub(chat, { room: `group:${name}` });
  const { messages } = useHistory(room, { limit: 50 });
  const { members } = usePresence(room);
  const [text, setText] = useState("");
  const [error, setError] = useState("");

  async function say(): Promise<void> {
    try {
      await room.invoke.say(text);
      setText("");
      setError("");
    } catch (failure) {
      setError((failure as Error).message);
    }
  }

  return (
    <>
      <p role="status">
        {room.state.status}, here: {[...members.keys()].join(", ")}
      </p>
      <ol aria-live="polite">
        {messages.map(
          ({ method, params, position }) =>
            method === "said" && (
              <li key={position}>
                <b>{params[0]}</b> {params[1]}
              </li>
            ),
        )}
      </ol>
      <form onSubmit={(event) => (event.preventDefault(), void say())}>
        <input
          aria-label="Message"
          autoFocus
          onChange={(event) => setText(event.target.value)}
          value={text}
        />
        <button disabled={text.trim() === ""}>Say</button>
      </form>
      {error && <p role="alert">{error}</p>}
    </>
  );
}
