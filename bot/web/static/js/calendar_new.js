// The form of a new schedule: its plain command changes while one fills it in.

import { debounce } from "./fragments.js";

const TYPING_MS = 150;

export function startSchedule() {
  const form = document.querySelector("form[data-schedule]");
  if (!form) return;
  const line = document.getElementById("sched-line");
  const wrong = document.getElementById("sched-wrong");
  let asked = 0;
  const renew = debounce(TYPING_MS, async () => {
    const filled = new URLSearchParams(new FormData(form));
    filled.delete("delivery");
    const mine = asked += 1;
    const answer = await fetch(`/calendar/new/words?${filled}`).catch(() => null);
    if (!answer?.ok || mine !== asked) return;
    const said = await answer.json();
    line.hidden = !said.line;
    line.querySelector("code").textContent = said.line;
    wrong.hidden = !said.wrong;
    wrong.textContent = said.wrong;
  });
  form.addEventListener("input", renew);
}
