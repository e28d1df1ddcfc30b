// Pieces of pages from the server, parsed by the browser's own document loader. No string ever
// becomes HTML here, so that the page's Trusted Types rule has nothing to allow.

const PATIENCE_MS = 30000;

export function load(url, { method = "GET", body = null, signal = null } = {}) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open(method, url);
    request.responseType = "document";
    request.timeout = PATIENCE_MS;
    request.setRequestHeader("X-Fragment", "1");
    request.onload = () => {
      if (request.status === 401) window.location.reload();
      resolve({ ok: request.status < 400, status: request.status, page: request.response });
    };
    request.onerror = () => reject(new Error("The house can't be reached."));
    request.ontimeout = () => reject(new Error("The house takes too long to answer."));
    request.onabort = () => reject(new DOMException("aborted", "AbortError"));
    if (signal) signal.addEventListener("abort", () => request.abort());
    request.send(body);
  });
}

// What a failure page says, as one line.
export function reason(answer) {
  const sheet = answer.page && answer.page.querySelector(".failure");
  if (!sheet) return "That didn't work. Nothing was changed.";
  const parts = [...sheet.querySelectorAll("h1, p")].map((part) => part.textContent.trim());
  return parts.filter((part) => part && part !== "To the chat").join(". ").replace(/\.\./g, ".");
}

export function announce(text) {
  const place = document.getElementById("announce");
  place.textContent = "";
  requestAnimationFrame(() => { place.textContent = text; });
}

const TOAST_MS = 8000;

export function toast(text) {
  document.querySelectorAll(".toast").forEach((old) => old.remove());
  const note = document.createElement("div");
  note.className = "toast";
  note.setAttribute("role", "alert");
  note.textContent = text;
  document.body.append(note);
  setTimeout(() => note.remove(), TOAST_MS);
}

const LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

// A delivery id: 22 letters of base62, as the server makes them.
export function newDelivery() {
  const bytes = crypto.getRandomValues(new Uint8Array(44));
  return [...bytes].filter((byte) => byte < 248).slice(0, 22)
    .map((byte) => LETTERS[byte % 62]).join("").padEnd(22, "0");
}

export function debounce(wait, work) {
  let timer = 0;
  return (...args) => {
    clearTimeout(timer);
    timer = setTimeout(() => work(...args), wait);
  };
}
