/** The websocket of one read: who is here, and news of edits made elsewhere. Reconnects by itself. */
import type { LiveMessage } from "./types";

const PING_MS = 20_000;
const LONGEST_WAIT_MS = 8000;
const NOT_YOURS = 4404;

export function follow(
  readId: string,
  tab: string,
  hear: (message: LiveMessage) => void,
  here: (again: boolean) => void,
  lost: () => void = () => {},
) {
  let socket: WebSocket | null = null;
  let wait = 1000;
  let opened = 0;
  let closed = false;
  let timer = 0;

  function connect() {
    if (closed) return;
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    socket = new WebSocket(`${scheme}://${location.host}/ws/reads/${readId}/`);
    socket.onopen = () => {
      wait = 1000;
      opened += 1;
      socket?.send(JSON.stringify({ type: "hello", tab }));
      // News may have passed while there was no connection.
      here(opened > 1);
    };
    socket.onmessage = (event) => hear(JSON.parse(event.data) as LiveMessage);
    socket.onclose = ({ code }) => {
      if (closed) return;
      if (code === NOT_YOURS) {
        lost();
        // Asking again won't help until somebody signed in again, or gave the read back: they come from elsewhere.
        window.addEventListener("focus", connect, { once: true });
        return;
      }
      timer = window.setTimeout(connect, wait);
      wait = Math.min(wait * 2, LONGEST_WAIT_MS);
    };
  }

  const ping = window.setInterval(() => {
    if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify({ type: "ping" }));
  }, PING_MS);
  connect();

  return () => {
    closed = true;
    window.removeEventListener("focus", connect);
    window.clearInterval(ping);
    window.clearTimeout(timer);
    socket?.close();
  };
}
