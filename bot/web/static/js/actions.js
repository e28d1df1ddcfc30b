// Buttons: busy while they work, once each, and in the chat without leaving the page.

import { load, newDelivery, reason, toast } from "./fragments.js";

export function busy(button, on) {
  if (!button) return;
  if (on) button.setAttribute("aria-busy", "true");
  else button.removeAttribute("aria-busy");
}

// Send a form in the background (its address is read as an attribute: a field of the form may be
// called "action" too); resolves with the fragment, or null after telling why not.
export async function submit(form, button, body = new FormData(form, button)) {
  if (form.dataset.sending) return null;
  form.dataset.sending = "1";
  busy(button, true);
  try {
    const answer = await load(form.getAttribute("action"), { method: "POST", body });
    if (!answer.ok) toast(reason(answer));
    return answer.ok ? answer.page : null;
  } catch (error) {
    toast(`${error.message} Nothing was sent; try again.`);
    return null;
  } finally {
    delete form.dataset.sending;
    busy(button, false);
    const delivery = form.querySelector("input[name=delivery]");
    if (delivery) delivery.value = newDelivery();
  }
}

// Forms that load a page: a second click does nothing while the first one works.
function once(event) {
  const form = event.target;
  if (event.defaultPrevented || form.method !== "post") return;
  if (form.dataset.sending) {
    event.preventDefault();
    return;
  }
  form.dataset.sending = "1";
  busy(event.submitter, true);
}

function freshAgain() {
  document.querySelectorAll("form[data-sending]").forEach((form) => { delete form.dataset.sending; });
  document.querySelectorAll("[aria-busy=true]").forEach((button) => busy(button, false));
}

async function copy(button) {
  const text = document.querySelector(button.dataset.copy).textContent;
  const label = button.querySelector("span");
  const before = label.textContent;
  try {
    await navigator.clipboard.writeText(text);
    label.textContent = "Copied";
  } catch {
    label.textContent = "Select it below and copy";
    document.querySelector(button.dataset.copy).closest("details").open = true;
  }
  setTimeout(() => { label.textContent = before; }, 2500);
}

function theme(event) {
  const button = event.submitter;
  if (!button || button.name !== "theme") return;
  event.preventDefault();
  document.documentElement.dataset.theme = button.value;
  document.querySelectorAll("button[name=theme]").forEach((other) => {
    other.setAttribute("aria-pressed", String(other.value === button.value));
  });
  load("/theme", { method: "POST", body: new FormData(event.target, button) }).catch(() => {});
}

export function startActions() {
  document.addEventListener("submit", theme);
  window.addEventListener("submit", once);
  window.addEventListener("pageshow", (event) => { if (event.persisted) freshAgain(); });
  document.querySelectorAll("[data-copy]").forEach((button) => {
    button.hidden = false;
    button.addEventListener("click", () => copy(button));
  });
  document.querySelectorAll("[data-autosubmit]").forEach((field) => {
    field.addEventListener("change", () => field.form.requestSubmit());
  });
  document.querySelectorAll("[data-js-show]").forEach((part) => { part.hidden = false; });
  // Only one small form stays open at a time, and Escape closes it.
  document.addEventListener("keydown", (event) => {
    const open = event.key === "Escape" && event.target.closest("details.ask[open]");
    if (!open) return;
    open.open = false;
    open.querySelector("summary").focus();
  });
  document.addEventListener("click", (event) => {
    document.querySelectorAll("details.more-actions[open]").forEach((menu) => {
      if (!menu.contains(event.target)) menu.open = false;
    });
  });
  document.addEventListener("toggle", (event) => {
    const opened = event.target;
    if (!opened.matches || !opened.matches("details.ask[open]")) return;
    opened.querySelector("textarea")?.focus();
  }, true);
}
