// Moving a slot: M and the arrow keys, or the pointer. Both end in `put(slot, day, "HH:MM")`.

import { announce } from "./fragments.js";

const STEP_MIN = 15;
const LONG_STEP_MIN = 60;
const FAR_PX = 6;
const EDGE_PX = 60;
const SCROLL_PX = 12;
const DAY_MIN = 24 * 60;
const said = new Intl.DateTimeFormat("en-GB", {
  weekday: "long", day: "numeric", month: "long", timeZone: "UTC",
});

export function startMoving(place, put) {
  const state = { on: false };
  const bar = document.getElementById("cal-moving");
  keys(place, put, state, bar);
  pointer(place, put, state, bar);
  return state;
}

// A slot on its way: its own day and time, and those it is held over.
function taken(item) {
  const { slot, day, at, place, name } = item.dataset;
  return { item, slot, place, name, from: { day, at }, day, at };
}

function plus(day, days) {
  const at = new Date(`${day}T00:00:00Z`);
  at.setUTCDate(at.getUTCDate() + days);
  return at.toISOString().slice(0, 10);
}

function words(held) {
  return `${said.format(new Date(`${held.day}T00:00:00Z`))}, ${held.at} ${held.place}`;
}

function clear(place) {
  place.querySelectorAll(".is-target, .is-taken").forEach((part) => {
    part.classList.remove("is-target", "is-taken");
  });
}

function show(place, bar, held) {
  clear(place);
  held.item.classList.add("is-taken");
  const target = place.querySelector(`[data-date="${held.day}"]`);
  target?.classList.add("is-target");
  bar.hidden = false;
  bar.querySelector("span").textContent = `To ${words(held)}`;
  return target;
}

function hide(place, bar) {
  clear(place);
  bar.hidden = true;
}

function keys(place, put, state, bar) {
  let held = null;

  function leave(text) {
    hide(place, bar);
    held = null;
    state.on = false;
    if (text) announce(text);
  }

  function step(event) {
    const monthly = Boolean(place.querySelector(".month"));
    const minutes = event.shiftKey ? LONG_STEP_MIN : STEP_MIN;
    if (event.key === "ArrowLeft") held.day = plus(held.day, -1);
    else if (event.key === "ArrowRight") held.day = plus(held.day, 1);
    else if (monthly) held.day = plus(held.day, event.key === "ArrowUp" ? -7 : 7);
    else held.at = shifted(held.at, event.key === "ArrowUp" ? -minutes : minutes);
    show(place, bar, held)?.scrollIntoView({ block: "nearest" });
    announce(words(held));
  }

  function drop() {
    const { slot, day, at, from } = held;
    const same = day === from.day && at === from.at;
    leave(same ? "Left where it was." : "");
    if (!same) put(slot, day, at);
  }

  place.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const item = event.target.closest("[data-slot]");
    if (!held && item === event.target && event.key.toLowerCase() === "m") {
      held = taken(item);
      state.on = true;
      show(place, bar, held);
      announce(`${held.name} taken up. Arrow keys move it, Enter puts it down, Escape leaves it.`);
    } else if (held && event.key.startsWith("Arrow")) step(event);
    else if (held && event.key === "Enter") drop();
    else if (held && event.key === "Escape") leave("Left where it was.");
    else return;
    event.preventDefault();
  });
  place.addEventListener("focusout", (event) => {
    if (held && event.target === held.item) leave("Left where it was.");
  });
}

// Minutes on or back, within the day.
function shifted(at, minutes) {
  const [hour, minute] = at.split(":").map(Number);
  const wanted = hour * 60 + minute + minutes;
  const kept = Math.min(Math.max(wanted, 0), DAY_MIN - STEP_MIN);
  return `${String(Math.floor(kept / 60)).padStart(2, "0")}:${String(kept % 60).padStart(2, "0")}`;
}

function pointer(place, put, state, bar) {
  let held = null;
  let start = null;
  let ghost = null;

  function begin(event) {
    held = taken(start.item);
    state.on = true;
    ghost = start.item.cloneNode(true);
    ghost.removeAttribute("id");
    ghost.querySelectorAll("[id]").forEach((part) => part.removeAttribute("id"));
    ghost.setAttribute("aria-hidden", "true");
    ghost.classList.add("slot-ghost");
    ghost.style.width = `${start.item.offsetWidth}px`;
    document.body.append(ghost);
    start.item.setPointerCapture(event.pointerId);
    document.documentElement.classList.add("is-dragging");
  }

  function follow(event) {
    ghost.style.transform = `translate(${event.clientX - start.dx}px, ${event.clientY - start.dy}px)`;
    const over = document.elementFromPoint(event.clientX, event.clientY)?.closest("[data-date]");
    held.day = over && place.contains(over) ? over.dataset.date : held.from.day;
    show(place, bar, held);
    const low = window.innerHeight - EDGE_PX;
    if (event.clientY < EDGE_PX) window.scrollBy(0, -SCROLL_PX);
    else if (event.clientY > low) window.scrollBy(0, SCROLL_PX);
  }

  function end(drop) {
    const done = held;
    ghost?.remove();
    hide(place, bar);
    document.documentElement.classList.remove("is-dragging");
    held = start = ghost = null;
    state.on = false;
    if (drop && done && done.day !== done.from.day) put(done.slot, done.day, done.from.at);
  }

  place.addEventListener("pointerdown", (event) => {
    const item = event.target.closest("[data-slot]");
    const control = event.target.closest("button, input, summary, details, .slot-acts a");
    // A finger scrolls; it drags by the grip alone.
    const byGrip = event.pointerType !== "touch" || event.target.closest("[data-grip]");
    if (!item || control || event.button !== 0 || !byGrip) return;
    const box = item.getBoundingClientRect();
    start = { item, x: event.clientX, y: event.clientY, dx: event.clientX - box.x,
      dy: event.clientY - box.y };
  });
  place.addEventListener("pointermove", (event) => {
    if (!start) return;
    const far = Math.hypot(event.clientX - start.x, event.clientY - start.y) > FAR_PX;
    if (!held && !far) return;
    if (!held) begin(event);
    follow(event);
  });
  place.addEventListener("pointerup", () => {
    const dragged = Boolean(held);
    if (start) end(true);
    // The click that follows a drag would open the slot's link.
    if (dragged) window.addEventListener("click", swallow, { capture: true, once: true });
    if (dragged) setTimeout(() => window.removeEventListener("click", swallow, true), 0);
  });
  place.addEventListener("pointercancel", () => { if (start) end(false); });
  document.addEventListener("keydown", (event) => {
    if (held && start && event.key === "Escape") end(false);
  });
}

function swallow(event) {
  event.preventDefault();
  event.stopPropagation();
}
