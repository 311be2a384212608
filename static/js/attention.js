// Keys for the list of what needs attention. They act only while the focus is inside the list,
// and every one of them presses a button or link that is there anyway.
"use strict";

const list = document.querySelector("[data-items]");

// Where the filters scroll sideways, the chosen one is in sight.
document.querySelector(".chips [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });

const itemsLeft = () => Array.from(document.querySelectorAll("[data-items] [data-item]"));

const focus = (item) => {
  item?.focus({ preventScroll: true });
  item?.scrollIntoView({ block: "nearest" });
};

// What is folded away is not pressed.
const press = (selector, within) => {
  const button = within?.querySelector(selector);
  if (button?.checkVisibility()) button.click();
};

list?.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  // Ticks take no text.
  if (event.target.closest("input:not([type=checkbox]), select, textarea")) {
    if (event.key === "Escape") focus(event.target.closest("[data-item]"));
    return;
  }
  const items = itemsLeft();
  const item = event.target.closest("[data-item]");
  const at = items.indexOf(item);
  const key = event.key.toLowerCase();
  if (key === "j") focus(items[at + 1] ?? items[0]);
  else if (key === "k") focus(items[at - 1] ?? items[items.length - 1]);
  else if (key === "u") press("[data-undo]", document);
  else if (key === "/") item?.querySelector("[data-search]")?.focus();
  else if (/^[1-9]$/.test(key)) press(`[data-key="${key}"]`, item);
  else if (key === "enter" && event.target === item) press("[data-confirm]", item.closest("form"));
  else return;
  event.preventDefault();
});

// Only the last decision has its undo button. What comes into the item's place takes the focus:
// what is left of it, or the next one.
let place = -1;

document.addEventListener("htmx:beforeSwap", (event) => {
  place = event.detail.xhr.status === 200 ? itemsLeft().indexOf(event.detail.target) : -1;
  if (place < 0) return;
  for (const done of document.querySelectorAll(".just-decided")) done.remove();
});

document.addEventListener("htmx:afterSettle", () => {
  const items = itemsLeft();
  if (place >= 0) focus(items[place] ?? items[place - 1]);
  place = -1;
});
