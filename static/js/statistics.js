// Each calendar is one stop of the Tab key; the arrow keys go from day to day.
"use strict";

for (const calendar of document.querySelectorAll("[data-calendar]")) {
  const days = Array.from(calendar.querySelectorAll("a"));
  const at = (link) => {
    const [, x, y] = link.querySelector("path").getAttribute("d").match(/^M(\d+) (\d+)/);
    return { x: Number(x), y: Number(y) };
  };
  const places = days.map(at);

  // The next day in a row, whatever its weekday; the nearest in the weeks before or after.
  const inWeek = (from, by) => {
    let best = -1;
    places.forEach(({ x }, index) => {
      const ahead = (x - places[from].x) * by;
      if (ahead <= 0) return;
      const distance = ahead * 10 + Math.abs(places[index].y - places[from].y);
      const least = best < 0 ? Infinity
        : (places[best].x - places[from].x) * by * 10 + Math.abs(places[best].y - places[from].y);
      if (distance < least) best = index;
    });
    return best;
  };
  const target = (key, from) => {
    if (key === "ArrowDown") return from + 1;
    if (key === "ArrowUp") return from - 1;
    if (key === "ArrowRight") return inWeek(from, 1);
    if (key === "ArrowLeft") return inWeek(from, -1);
    if (key === "Home") return 0;
    if (key === "End") return days.length - 1;
    return -1;
  };

  calendar.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    const from = days.indexOf(event.target.closest("a"));
    const next = days[target(event.key, from)];
    if (from < 0 || !next) return;
    event.preventDefault();
    days[from].setAttribute("tabindex", "-1");
    next.removeAttribute("tabindex");
    next.focus();
  });
}

// On a phone the calendar is wider than the screen: what is newest is in sight.
for (const scroll of document.querySelectorAll(".years--one .year__scroll")) {
  const last = scroll.querySelector("a:last-of-type");
  if (last) scroll.scrollLeft = last.getBoundingClientRect().right - scroll.getBoundingClientRect().right + 24;
}

// Figures that are being worked out come by themselves.
if (document.querySelector("[data-look-again]")) setTimeout(() => location.reload(), 3000);
