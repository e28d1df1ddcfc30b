// The queue: progress as it comes, places renewed when they change; the number of open reviews.

import { debounce, load } from "./fragments.js";
import { onLive } from "./live.js";
import { localTimes } from "./times.js";

const RENEW_MS = 300;
const COUNT_MS = 500;

export function startQueue() {
  onLive((event) => { if (event.type === "reviews") count(); });
  const queue = document.getElementById("queue");
  if (!queue) return;
  const renew = debounce(RENEW_MS, () => renewed(queue));
  onLive((event) => {
    if (event.type === "queue" || event.type === "hello") renew();
    if (event.type === "job" && !progress(queue, event)) renew();
  });
}

function progress(queue, event) {
  const row = queue.querySelector(`.job-main[data-job="${CSS.escape(event.id)}"]`);
  const bar = row?.querySelector("progress");
  if (!bar) return false;
  bar.value = event.fraction;
  row.querySelector("[data-status]").textContent = event.status;
  const address = `/jobs/${event.id}/preview.jpg?v=${event.preview}`;
  const image = queue.querySelector(`[data-job-preview="${CSS.escape(event.id)}"]`);
  if (event.preview && !image) return false;
  if (event.preview && image.getAttribute("src") !== address) image.src = address;
  return true;
}

async function renewed(queue) {
  const focus = queue.contains(document.activeElement) && document.activeElement.dataset.key;
  const answer = await load(queue.dataset.renew).catch(() => null);
  if (!answer?.ok) return;
  localTimes(answer.page);
  queue.replaceChildren(...[...answer.page.body.children].map((p) => document.adoptNode(p)));
  if (focus) queue.querySelector(`[data-key="${CSS.escape(focus)}"]`)?.focus();
}

const count = debounce(COUNT_MS, async () => {
  const badge = document.getElementById("review-count");
  const answer = await fetch("/review/count").catch(() => null);
  if (!badge || !answer?.ok) return;
  const { open, short } = await answer.json();
  badge.hidden = !open;
  badge.querySelector(".count-n").textContent = short;
});
