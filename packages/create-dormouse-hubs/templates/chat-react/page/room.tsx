import { useHistory, useHub, usePresence, type State } from "dormouse-hubs/react";
import { useState } from "react";
import type { Chat } from "./chat-at.ts";

/** One room: its messages, from history on, and the people in it. */
export function Room({ chat, name }: { readonly chat: Chat; readonly name: string }) {
  const room = useHub(chat, { room: `group:${name}` });
  const { messages } = useHistory(room, { limit: 50 });
  const { members } = usePresence(room);
  const [text, setText] = useState("");
  const [error, setError] = useState("");

  const problem = error || reasonOf(room.state);

  /** The field is empty at once: without a connection, the call waits for the next one. */
  async function say(): Promise<void> {
    setText("");
    setError("");
    try {
      await room.invoke.say(text);
    } catch (failure) {
      setText((newer) => newer || text);
      setError((failure as Error).message);
    }
  }

  return (
    <>
      <h1>{name}</h1>
      <p role="status">
        {room.state.status}, here: {[...members.keys()].join(", ")}
      </p>
      <div aria-label="Messages" className="log" role="log" tabIndex={0}>
        <ol>
          {messages.map(
            ({ method, params, position }) =>
              method === "said" && (
                <li key={position}>
                  <b>{params[0]}</b> {params[1]}
                </li>
              ),
          )}
        </ol>
      </div>
      <form onSubmit={(event) => (event.preventDefault(), void say())}>
        <input
          aria-label="Message"
          autoFocus
          onChange={(event) => setText(event.target.value)}
          value={text}
        />
        <button disabled={text.trim() === ""}>Say</button>
      </form>
      {problem && <p role="alert">{problem}</p>}
    </>
  );
}

/** Why there is no connection; empty while there is one, or none was tried. */
function reasonOf(state: State): string {
  if (state.status === "connected" || !state.error) return "";
  const { message, cause } = state.error;
  return cause instanceof Error ? `${message} ${cause.message}` : message;
}
