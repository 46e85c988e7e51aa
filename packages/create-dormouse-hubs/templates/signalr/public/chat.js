// The tutorial's chat.js, with another URL: /hubs/chat.
"use strict";

const connection = new signalR.HubConnectionBuilder()
  .withUrl("/hubs/chat")
  .withAutomaticReconnect()
  .build();

document.getElementById("sendButton").disabled = true;

connection.on("ReceiveMessage", (user, message) => {
  const li = document.createElement("li");
  document.getElementById("messagesList").appendChild(li);
  li.textContent = `${user} says ${message}`;
});

connection
  .start()
  .then(() => (document.getElementById("sendButton").disabled = false))
  .catch((error) => console.error(error.toString()));

document.getElementById("sendButton").addEventListener("click", (event) => {
  const user = document.getElementById("userInput").value;
  const message = document.getElementById("messageInput").value;
  connection.invoke("SendMessage", user, message).catch((error) => console.error(error.toString()));
  event.preventDefault();
});
