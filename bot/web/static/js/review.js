// The review board by keyboard: arrows move, A approves, R rejects, C compares, U undoes.

const SETTING = "housestyle-review-keys";

export function startReview() {
  const board = document.querySelector(".review");
  const undo = document.querySelector("form[data-undo]");
  if (!board && !undo) return;
  const toggle = document.getElementById("keys-on");
  if (toggle) {
    toggle.checked = localStorage.getItem(SETTING) !== "off";
    toggle.addEventListener("change", () => {
      localStorage.setItem(SETTING, toggle.checked ? "on" : "off");
    });
  }
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || (toggle && !toggle.checked)) return;
    if (event.target.closest("input, textarea, select, [contenteditable]")) return;
    const act = KEYS[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    const target = act && act();
    if (target) event.preventDefault();
  });
  const strip = document.querySelector(".film-strip");
  const here = strip?.querySelector("[aria-current]");
  if (here) strip.scrollLeft = here.offsetLeft - (strip.clientWidth - here.offsetWidth) / 2;
}

const KEYS = {
  ArrowLeft: () => follow("a[rel=prev]"),
  ArrowRight: () => follow("a[rel=next]"),
  a: () => follow("button[data-key=approve]"),
  r: () => open("summary[data-key=reject]"),
  c: () => follow("a[data-key=compare]"),
  u: () => follow("form[data-undo] button"),
};

function follow(query) {
  const target = document.querySelector(query);
  target?.click();
  return target;
}

function open(query) {
  const target = document.querySelector(query);
  const details = target?.closest("details");
  if (!details) return null;
  details.open = true;
  details.querySelector("textarea").focus();
  return target;
}
