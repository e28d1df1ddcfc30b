// Moments in the reader's own time zone. Without this they read in UTC, and say so.

const hour = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const day = new Intl.DateTimeFormat(undefined, {
  weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit",
});
const whole = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "long" });

export function localTimes(root) {
  const today = new Date().toDateString();
  root.querySelectorAll("time[datetime]:not([data-local])").forEach((place) => {
    const at = new Date(place.dateTime);
    if (Number.isNaN(at.getTime())) return;
    const short = at.toDateString() === today && !("day" in place.dataset);
    place.textContent = (short ? hour : day).format(at);
    place.title = whole.format(at);
    place.dataset.local = "";
  });
}
