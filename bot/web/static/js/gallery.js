// The gallery: the search answers while one types, and the address always says what is shown.

import { announce, debounce, load, toast } from "./fragments.js";

const TYPING_MS = 120;
let running = null;

export function startGallery() {
  const form = document.querySelector("[data-search]");
  if (!form) return;
  const tiles = document.getElementById("tiles");
  form.q.addEventListener("input", debounce(TYPING_MS, () => search(form, tiles)));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    search(form, tiles);
  });
  tiles.addEventListener("click", (event) => {
    const more = event.target.closest("a[data-more]");
    if (!more || event.metaKey || event.ctrlKey) return;
    event.preventDefault();
    older(more, tiles);
  });
}

async function search(form, tiles) {
  const wanted = new URLSearchParams([...new FormData(form)].filter(([, value]) => value));
  const address = `/gallery${wanted.size ? `?${wanted}` : ""}`;
  running?.abort();
  running = new AbortController();
  tiles.setAttribute("aria-busy", "true");
  try {
    const answer = await load(address, { signal: running.signal });
    if (!answer.ok) return;
    tiles.replaceChildren(...take(answer.page));
    history.replaceState(null, "", address);
    chips(form.q.value);
    const count = tiles.querySelectorAll(".tile").length;
    announce(count ? `${count} pictures` : "No picture fits");
    tiles.removeAttribute("aria-busy");
  } catch (error) {
    if (error.name === "AbortError") return;
    tiles.removeAttribute("aria-busy");
    toast(error.message);
  }
}

async function older(more, tiles) {
  more.setAttribute("aria-busy", "true");
  try {
    const answer = await load(more.href);
    const list = tiles.querySelector(".tiles");
    const first = list.children.length;
    more.parentElement.remove();
    list.append(...[...answer.page.querySelectorAll(".tile")].map((t) => document.adoptNode(t)));
    const next = answer.page.querySelector(".tiles-more");
    if (next) tiles.append(document.adoptNode(next));
    list.children[first]?.querySelector("a").focus();
  } catch (error) {
    more.removeAttribute("aria-busy");
    toast(error.message);
  }
}

function take(page) {
  return [...page.body.children].map((part) => document.adoptNode(part));
}

// The filters keep the words that were typed since the page came.
function chips(words) {
  document.querySelectorAll(".gallery-chips a").forEach((chip) => {
    const url = new URL(chip.href);
    if (words) url.searchParams.set("q", words);
    else url.searchParams.delete("q");
    chip.href = url.pathname + url.search;
  });
}
