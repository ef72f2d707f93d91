// What pages do beyond HTML. Every task also works without this file.
import { initAll } from "./vendor/govuk-frontend/govuk-frontend.min.js";

initAll();

// Choosing in a filter shows the result at once; without scripts its button does.
document.addEventListener("change", (event) => {
  const form = event.target.closest("form[data-submit-on-change]");
  if (form && event.target.matches("select, input[type=checkbox], input[type=radio]")) form.requestSubmit();
});

// Parts of the page that htmx has replaced get their components, too.
document.addEventListener("htmx:after:swap", (event) => {
  const root = event.detail?.ctx?.target ?? event.target;
  if (root instanceof HTMLElement) initAll({ scope: root });
});

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-print]")) window.print();
});
