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
