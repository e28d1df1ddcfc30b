// One event stream a browser: the tab that holds the lock listens, the others hear it from there.
// Browsers open six connections to a host, and a stream in every tab would use them all up.

import { load } from "./fragments.js";

const LOCK = "housestyle-live";
const LOST_AFTER_MS = 3000;
const RETRY_MS = 4000;
const CATCH_UP_MS = 1500;
const VERSION = new URL(import.meta.url).pathname.split("/")[2];

const handlers = new Set();
const others = "BroadcastChannel" in window ? new BroadcastChannel(LOCK) : null;
let caughtUp = false;

export function onLive(handler) {
  handlers.add(handler);
}

function deliver(event) {
  if (event.type === "hello") {
    caughtUp = true;
    if (event.version !== VERSION) say("A new version is here. Reload when it suits you.");
  }
  if (event.type === "line") say(event.up ? "" : "Connection lost. Trying again…");
  handlers.forEach((handler) => handler(event));
}

function tell(event) {
  deliver(event);
  if (others) others.postMessage(event);
}

function say(text) {
  const line = document.getElementById("line-state");
  line.hidden = !text;
  line.querySelector("span").textContent = text;
}

function listen() {
  let lost = 0;
  const source = new EventSource("/events");
  source.onmessage = (message) => tell(JSON.parse(message.data));
  source.onopen = () => {
    clearTimeout(lost);
    lost = 0;
    tell({ type: "line", up: true });
  };
  source.onerror = () => {
    if (!lost) lost = setTimeout(() => tell({ type: "line", up: false }), LOST_AFTER_MS);
    if (source.readyState === EventSource.CLOSED) {
      source.close();
      clearTimeout(lost);
      setTimeout(again, RETRY_MS);
    }
  };
  window.addEventListener("pagehide", () => { clearTimeout(lost); source.close(); });
}

// The stream was refused: the session may have ended (load reloads the page then), or the house
// is restarting.
function again() {
  load("/more").then(listen, () => {
    tell({ type: "line", up: false });
    setTimeout(again, RETRY_MS);
  });
}

export function startLive() {
  if (others) others.onmessage = (message) => deliver(message.data);
  // Between the page's making and the first event something may have happened.
  setTimeout(() => {
    if (!caughtUp) handlers.forEach((handler) => handler({ type: "hello", version: VERSION }));
  }, CATCH_UP_MS);
  if (!navigator.locks || !others) {
    listen();
    return;
  }
  navigator.locks.request(LOCK, () => {
    listen();
    return new Promise(() => {});
  });
}
