"use strict";
// Sort and filter tables in place. Everything can be read without this.
(() => {
  const language = document.documentElement.lang;
  const compare = new Intl.Collator(language, { numeric: true }).compare;

  const key = (row, at) => {
    const cell = row.cells[at];
    if (cell.dataset.v === undefined) return cell.textContent.trim();
    return cell.classList.contains("n") ? Number(cell.dataset.v) : cell.dataset.v;
  };
  const missing = (value) => value === "–" || value === "";

  const sort = (table, at, down) => {
    const body = table.tBodies[0];
    const rows = Array.from(body.rows, (row, number) => [key(row, at), number, row]);
    rows.sort(([a, m], [b, n]) => {
      if (missing(a) || missing(b)) return missing(a) - missing(b) || m - n;
      const order = typeof a === "number" && typeof b === "number" ? a - b : compare(String(a), String(b));
      return (down ? -order : order) || m - n;
    });
    body.append(...rows.map(([, , row]) => row));
  };

  const filter = (part, words, shown) => {
    let count = 0;
    for (const row of part.querySelector("tbody").rows) {
      const text = row.textContent.toLocaleLowerCase(language);
      row.hidden = !words.every((word) => text.includes(word));
      count += !row.hidden;
    }
    shown.textContent = shown.dataset.text.replace(/\d[\d.,\u00a0]*/, count.toLocaleString(language));
  };

  for (const part of document.querySelectorAll(".table")) {
    const table = part.querySelector("table");
    if (!table) continue;
    table.tHead.addEventListener("click", (event) => {
      const head = event.target.closest("th");
      if (!head) return;
      const numbers = head.classList.contains("n");
      const now = head.getAttribute("aria-sort");
      const down = now === "none" ? numbers : now === "ascending";
      for (const other of table.tHead.rows[0].cells) other.setAttribute("aria-sort", "none");
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      sort(table, head.cellIndex, down);
    });
    const input = part.querySelector("input");
    const shown = part.querySelector("output");
    shown.dataset.text = shown.textContent;
    input.addEventListener("input", () => {
      filter(part, input.value.toLocaleLowerCase(language).split(/\s+/).filter(Boolean), shown);
    });
  }

  addEventListener("beforeprint", () => {
    for (const terms of document.querySelectorAll("details")) terms.open = true;
  });
})();
