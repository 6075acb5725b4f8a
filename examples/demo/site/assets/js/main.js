// Improves the page where it can; every page is whole without it.
import { showTides } from "./tides.js";
import { openNow } from "./hours.js";

for (const table of document.querySelectorAll("[data-tides]")) {
  showTides(table).catch(() => {}); // the table in the page stays
}

for (const place of document.querySelectorAll("[data-open-now]")) {
  place.textContent = openNow(new Date()) ? "Open now, until 17:00" : "Open Tuesday to Sunday, 10–17";
}
