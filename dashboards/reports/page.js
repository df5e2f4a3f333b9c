"use strict";
// Sort and filter tables in place. Everything can be read without this.
// The later rows of a long table wait in its <noscript>, which costs nothing to open, and are added while nothing else
// happens, or at once where all are needed.
(() => {
  const language = document.documentElement.lang;
  const compare = new Intl.Collator(language, { numeric: true }).compare;

  const key = (row, at) => {
    const cell = row.cells[at];
    if (cell.dataset.v === undefined) return cell.textContent.trim();
    return cell.classList.contains("n") ? Number(cell.dataset.v) : cell.dataset.v;
  };
  const missing = (value) => value === "–" || value === "";

  const AT_ONCE = 100;
  const whenIdle = window.requestIdleCallback ?? setTimeout; // Safari lacks the first
  const waiting = new Map(); // the rows of each table that are not in it yet, as HTML

  const add = (table, count) => {
    const rows = waiting.get(table) ?? [];
    table.tBodies[0].insertAdjacentHTML("beforeend", rows.splice(0, count).join(""));
  };
  const addAll = (table) => add(table, Infinity);
  const addSome = () => {
    const [table] = [...waiting].find(([, rows]) => rows.length) ?? [];
    if (!table) return;
    add(table, AT_ONCE);
    whenIdle(addSome);
  };

  const sort = (table, at, down) => {
    addAll(table);
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
    const table = part.querySelector("table");
    addAll(table);
    let count = 0;
    for (const row of table.tBodies[0].rows) {
      const text = row.textContent.toLocaleLowerCase(language);
      row.hidden = !words.every((word) => text.includes(word));
      count += !row.hidden;
    }
    shown.textContent = shown.dataset.text.replace(/\d[\d.,\u00a0]*/, count.toLocaleString(language));
  };

  for (const part of document.querySelectorAll(".table")) {
    const table = part.querySelector("table");
    if (!table) continue;
    const later = part.querySelector("noscript");
    if (later) waiting.set(table, later.textContent.match(/<tr><td[^]*?<\/tr>/g));
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

  whenIdle(addSome);
  addEventListener("beforeprint", () => {
    for (const table of waiting.keys()) addAll(table);
    for (const terms of document.querySelectorAll("details")) terms.open = true;
  });
})();
