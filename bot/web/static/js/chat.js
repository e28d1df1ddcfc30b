// The chat: sends lines and buttons in the background, and keeps the log as the server has it.

import { submit } from "./actions.js";
import { startAttached } from "./attached.js";
import { startSuggestions } from "./suggest.js";
import { announce, debounce, load } from "./fragments.js";
import { onLive } from "./live.js";
import { localTimes } from "./times.js";

const RENEW_MS = 400;
let chat, log, list, room;

export function startChat() {
  chat = document.querySelector(".chat");
  if (!chat) return;
  log = chat.querySelector(".log");
  list = document.getElementById("msgs");
  room = chat.dataset.room;
  list.addEventListener("submit", onCommand);
  startComposer(document.getElementById("composer"));
  chat.addEventListener("click", onSay);
  startJump();
  if ("past" in chat.dataset) return;
  onLive(onEvent);
}

const renewQueued = debounce(RENEW_MS, () => {
  if (list.querySelector("[data-moving=queued]")) catchUp();
});

function onEvent(event) {
  if (event.type === "hello") catchUp();
  if (event.type === "queue") renewQueued();
  if (event.type === "job") progress(event);
  if (event.type !== "message") return;
  if (event.channel === room) fetchOne(event.id);
  else chat.querySelector(`.rooms a[data-slug="${CSS.escape(event.channel)}"] .rooms-dot`)
    ?.removeAttribute("hidden");
}

function catchUp() {
  load(`/chat/${room}/messages`).then((answer) => { if (answer.ok) take(answer.page); }, () => {});
}

function fetchOne(id) {
  load(`/chat/${room}/messages/${id}`).then(
    (answer) => { if (answer.ok) take(answer.page); }, () => {},
  );
}

function progress(event) {
  list.querySelectorAll(`[data-job="${CSS.escape(event.id)}"]`).forEach((status) => {
    const bar = status.querySelector("progress");
    if (!bar) return;
    bar.value = event.fraction;
    status.querySelector("[data-status]").textContent = event.status;
    if (event.preview) showPreview(status, `/jobs/${event.id}/preview.jpg?v=${event.preview}`);
  });
}

function showPreview(status, address) {
  let image = status.querySelector(".status-preview");
  if (image?.getAttribute("src") === address) return;
  if (!image) {
    image = document.createElement("img");
    image.className = "status-preview";
    image.width = image.height = 96;
    image.alt = "Preview";
    status.prepend(image);
  }
  image.src = address;
}

// Take messages in: new ones at their place in time, changed ones where they stand.
function take(page) {
  localTimes(page);
  const messages = [...page.querySelectorAll("li.msg")];
  messages.forEach((incoming) => {
    const next = document.adoptNode(incoming);
    const old = document.getElementById(next.id);
    if (!old) insert(next);
    else if (old.dataset.version !== next.dataset.version || "moving" in next.dataset) {
      change(old, next);
    }
  });
  if (messages.length) document.getElementById("empty")?.remove();
}

const NEAR_END_PX = 120;

// A reversed column counts its scrolling down from its end, in negative pixels.
const atEnd = () => Math.abs(log.scrollTop) < NEAR_END_PX;

function startJump() {
  const jump = chat.querySelector(".log-jump");
  jump.addEventListener("click", () => {
    log.scrollTop = 0;
    jump.hidden = true;
    document.getElementById("say").focus();
  });
  log.addEventListener("scroll", () => { if (atEnd()) jump.hidden = true; }, { passive: true });
}

function insert(next) {
  const at = Number(next.dataset.at);
  const before = [...list.children].reverse().find((item) => Number(item.dataset.at) <= at);
  if (before) before.after(next);
  else list.prepend(next);
  next.classList.add("msg-new");
  if (!atEnd() && next === list.lastElementChild) chat.querySelector(".log-jump").hidden = false;
  announce(spoken(next));
}

function change(old, next) {
  const before = spoken(old);
  keep(old, next);
  const focused = focusMark(old);
  old.replaceWith(next);
  if (focused) (next.querySelector(focused) || next.querySelector("button, a, summary"))?.focus();
  if (spoken(next) !== before && old.dataset.moving !== next.dataset.moving) announce(spoken(next));
}

// What somebody has opened or is typing stays.
function keep(old, next) {
  old.querySelectorAll("details[open][data-keep]").forEach((opened) => {
    const same = next.querySelector(`details[data-keep="${CSS.escape(opened.dataset.keep)}"]`);
    if (!same) return;
    same.open = true;
    const typed = opened.querySelector("textarea");
    const place = same.querySelector("textarea");
    if (typed && place) place.value = typed.value;
  });
}

function focusMark(old) {
  const focus = document.activeElement;
  if (!old.contains(focus)) return "";
  if (focus.dataset.key) return `[data-key="${CSS.escape(focus.dataset.key)}"]`;
  const keeper = focus.closest("[data-keep]");
  if (keeper) {
    const inside = focus.matches("textarea") ? "textarea" : "summary";
    return `[data-keep="${CSS.escape(keeper.dataset.keep)}"] ${inside}`;
  }
  const action = focus.form?.elements.namedItem("action");
  return action ? `form:has([value="${CSS.escape(action.value)}"]) button` : "button, a, summary";
}

function spoken(item) {
  const part = (query) => item.querySelector(query)?.textContent.trim() || "";
  const words = part(".card-head h2") || part(".msg-text");
  const state = part("[data-status]") || part(".stamp");
  return [part(".msg-head strong"), words, state].filter(Boolean).join(": ");
}

async function onCommand(event) {
  const form = event.target;
  if (!form.matches("[data-command]")) return;
  event.preventDefault();
  const asked = form.closest("details.ask");
  const page = await submit(form, event.submitter);
  if (!page) return;
  if (asked) asked.open = false;
  take(page);
}

function onSay(event) {
  const link = event.target.closest("a[data-say]");
  if (!link) return;
  event.preventDefault();
  const field = document.getElementById("say");
  field.value = link.dataset.say;
  field.focus();
  field.setSelectionRange(field.value.length, field.value.length);
  field.dispatchEvent(new Event("input", { bubbles: true }));
}

function startComposer(form) {
  const field = form.querySelector("textarea");
  const attached = startAttached(form, field);
  const suggestions = startSuggestions(form, field);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send(form, field, attached);
  });
  field.addEventListener("keydown", (event) => {
    if (suggestions.takes(event) || event.isComposing) return;
    if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      form.requestSubmit();
    }
  });
  field.setSelectionRange(field.value.length, field.value.length);
}

// The answer to this line: the newest message is a mistake that only its author sees.
function refused(page) {
  return page.querySelector("li.msg:last-of-type .card-error") !== null;
}

async function send(form, field, attached) {
  if (!field.value.trim() && !attached.any()) {
    field.focus();
    return;
  }
  const page = await submit(form, form.querySelector(".send"));
  if (!page) return;
  // What was refused is put right here: words and pictures stay until they are taken.
  if (!refused(page)) {
    field.value = "";
    attached.clear();
  }
  take(page);
  log.scrollTop = 0;
  field.focus();
}
