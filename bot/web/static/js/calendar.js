// The calendar: commands without leaving the page, and what others change as it happens.

import { submit } from "./actions.js";
import { startMoving } from "./calendar_move.js";
import { startSchedule } from "./calendar_new.js";
import { announce, debounce, load, newDelivery, toast } from "./fragments.js";
import { onLive } from "./live.js";
import { localTimes } from "./times.js";

const RENEW_MS = 300;
const CHANGES = ["calendar", "reviews", "queue", "hello"];
let place, moving;

export function startCalendar() {
  startSchedule();
  place = document.getElementById("calendar");
  if (!place) return;
  moving = startMoving(place, put);
  place.addEventListener("submit", onCommand);
  document.addEventListener("click", closeMenus);
  place.addEventListener("keydown", closeMenu);
  place.addEventListener("toggle", (event) => {
    if (event.target.matches("details.slot-menu[open]")) {
      event.target.querySelector(".slot-panel").scrollIntoView({ block: "nearest" });
    }
  }, true);
  const renew = debounce(RENEW_MS, renewed);
  onLive((event) => { if (CHANGES.includes(event.type)) renew(); });
}

// What is in the middle of something stays as it is; the next change comes soon enough.
function inTheMiddle() {
  return moving.on || place.querySelector("form[data-sending]")
    || place.querySelector("details[open] :is(input, textarea):focus");
}

async function renewed() {
  if (inTheMiddle()) return;
  const answer = await load(place.dataset.renew).catch(() => null);
  if (!answer?.ok || inTheMiddle()) return;
  const notes = [...place.querySelectorAll(".flash, .slot > .slot-note")];
  show(answer.page);
  keepNotes(notes);
}

// The answer to one's own last command outlives what others do meanwhile.
function keepNotes(notes) {
  notes.forEach((note) => {
    const slot = note.dataset.of && document.getElementById(`s-${note.dataset.of}`);
    if (note.matches(".flash")) place.querySelector(".cal-bar").after(note);
    else if (slot?.matches(".slot")) slot.append(note);
  });
}

function show(page) {
  localTimes(page);
  const focus = place.contains(document.activeElement) && document.activeElement.closest("[data-key]");
  const open = [...place.querySelectorAll("details[open][data-keep]")].map((d) => d.dataset.keep);
  place.replaceChildren(...[...page.body.children].map((part) => document.adoptNode(part)));
  open.forEach((key) => {
    const same = place.querySelector(`details[data-keep="${CSS.escape(key)}"]`);
    if (same) same.open = true;
  });
  if (focus) place.querySelector(`[data-key="${CSS.escape(focus.dataset.key)}"]`)?.focus();
}

async function onCommand(event) {
  const form = event.target;
  if (!form.matches("[data-command]")) return;
  event.preventDefault();
  form.closest("details")?.removeAttribute("open");
  const slot = form.closest("[data-key^=slot-]")?.dataset.key;
  taken(await submit(form, event.submitter), slot);
}

// Put a slot on another day or time; the server says what came of it.
async function put(slot, day, at) {
  const form = new FormData();
  const back = new URL(place.dataset.renew, window.location.href);
  back.searchParams.set("at", slot);
  form.set("slot", slot);
  form.set("day", day);
  form.set("at", at);
  form.set("back", back.pathname + back.search);
  form.set("delivery", newDelivery());
  place.setAttribute("aria-busy", "true");
  try {
    const answer = await load("/calendar/move", { method: "POST", body: form });
    taken(answer.ok ? answer.page : null, `slot-${slot}`);
  } catch (error) {
    toast(`${error.message} Nothing was moved; try again.`);
  } finally {
    place.removeAttribute("aria-busy");
  }
}

function taken(page, key) {
  if (!page) return;
  show(page);
  const note = place.querySelector(".slot-note, .flash .note");
  if (note) announce(note.textContent.replace(/\s+/g, " ").trim());
  const slot = key && place.querySelector(`[data-key="${CSS.escape(key)}"]`);
  (slot || note)?.scrollIntoView({ block: "nearest" });
  slot?.focus({ preventScroll: true });
}

function closeMenus(event) {
  place.querySelectorAll("details.slot-menu[open]").forEach((menu) => {
    if (!menu.contains(event.target)) menu.open = false;
  });
}

function closeMenu(event) {
  const menu = event.key === "Escape" && event.target.closest("details.slot-menu[open]");
  if (!menu) return;
  menu.open = false;
  menu.querySelector("summary").focus();
}
