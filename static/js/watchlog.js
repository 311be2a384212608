// Small comforts. Every page works without this file.
"use strict";

// A poster that cannot be loaded gives way to the drawing behind it.
document.addEventListener("error", (event) => {
  if (event.target instanceof HTMLImageElement && event.target.closest(".poster")) {
    event.target.remove();
  }
}, true);

// Menus close on Escape and on a click elsewhere.
document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});

// The drop zone says which files it has, and takes what is dropped on it.
for (const zone of document.querySelectorAll("[data-drop]")) {
  const input = zone.querySelector("input[type=file]");
  const names = zone.querySelector("[data-files]");
  const show = () => {
    const files = Array.from(input.files, (file) => file.name);
    names.textContent = files.length ? files.join(", ") : names.dataset.files;
    zone.classList.toggle("has-files", files.length > 0);
  };
  input.addEventListener("change", show);
  for (const kind of ["dragenter", "dragover"]) {
    zone.addEventListener(kind, () => zone.classList.add("is-over"));
  }
  for (const kind of ["dragleave", "drop"]) {
    zone.addEventListener(kind, () => zone.classList.remove("is-over"));
  }
  show();
}
for (const form of document.querySelectorAll("form[data-busy]")) {
  form.addEventListener("submit", (event) => {
    const button = event.submitter ?? form.querySelector("button[type=submit]");
    button.textContent = form.dataset.busy;
    button.setAttribute("aria-disabled", "true");
  });
}

// An answer that came from another page, such as the sign-in, is shown as a page.
document.addEventListener("htmx:beforeSwap", (event) => {
  const { xhr, requestConfig } = event.detail;
  const answered = new URL(xhr.responseURL || location.href);
  const asked = new URL(requestConfig.path, location.href);
  if (answered.pathname !== asked.pathname) {
    event.detail.shouldSwap = false;
    location.assign(answered);
  }
});

// What was unfolded stays so when its surroundings are drawn anew.
let unfolded = null;
document.addEventListener("htmx:beforeSwap", (event) => {
  const folds = event.detail.target.querySelectorAll("details[id]");
  unfolded = new Map(Array.from(folds, (fold) => [fold.id, fold.open]));
});
document.addEventListener("htmx:afterSwap", () => {
  for (const fold of document.querySelectorAll("details[id]")) {
    if (unfolded?.has(fold.id)) fold.open = unfolded.get(fold.id);
  }
});

// What changed is said once, not every second.
document.addEventListener("htmx:afterSwap", () => {
  const said = document.querySelector("[data-live]");
  const news = document.querySelector("[data-news]");
  if (said && news && said.textContent !== news.dataset.news) {
    said.textContent = news.dataset.news;
  }
});

// What failed is told until something works again. What the page asks for by itself says so only
// when it keeps failing.
const MISSES = 3;
const messages = document.querySelector(".messages");
let trouble = null;
let missed = 0;

const tell = (words, kind = "") => {
  trouble?.remove();
  trouble = document.createElement("p");
  trouble.className = `notice trouble ${kind}`;
  trouble.textContent = words;
  messages.append(trouble);
};
const failed = ({ detail }) => {
  const { status } = detail.xhr;
  const texts = messages.dataset;
  if (status >= 400 && status < 500 && status !== 429) {
    tell(texts.outdated, "notice--error");
    const link = document.createElement("a");
    link.href = location.pathname + location.search;
    link.textContent = texts.loadAgain;
    trouble.append(" ", link);
  } else if (detail.elt.matches("[hx-trigger^=every]")) {
    missed += 1;
    if (missed === MISSES) tell(texts.retrying);
  } else {
    tell(status ? texts.failed : texts.unreached, "notice--error");
  }
};
document.addEventListener("htmx:responseError", failed);
document.addEventListener("htmx:sendError", failed);
document.addEventListener("htmx:afterRequest", (event) => {
  if (!event.detail.successful) return;
  trouble?.remove();
  trouble = null;
  missed = 0;
});
