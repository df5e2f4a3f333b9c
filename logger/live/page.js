"use strict";
// Show each event: texts only, so that no name can become anything else.
(() => {
  const find = (id) => document.getElementById(id);
  const fill = (table, rows, states) => {
    table.tBodies[0].replaceChildren(...rows.map((cells, number) => {
      const row = document.createElement("tr");
      row.append(...cells.map((text, at) => {
        const cell = document.createElement("td");
        const isolated = document.createElement("bdi");
        isolated.textContent = text;
        cell.append(isolated);
        if (states && at === 3) cell.dataset.state = states[number];
        return cell;
      }));
      return row;
    }));
  };

  const events = new EventSource("events");
  events.onopen = () => { find("lost").textContent = ""; };
  events.onerror = () => { find("lost").textContent = find("lost").dataset.text; };
  events.onmessage = (event) => {
    const shown = JSON.parse(event.data);
    find("updated").textContent = shown.updated;
    fill(find("vehicles"), shown.vehicles, shown.states);
    find("nothing").hidden = shown.vehicles.length > 0;
    fill(find("stores"), shown.stores);
    const list = find("troubles");
    const texts = shown.troubles.length ? shown.troubles : [list.dataset.none];
    list.replaceChildren(...texts.map((text) => {
      const item = document.createElement("li");
      item.className = shown.troubles.length ? "trouble" : "";
      item.textContent = text;
      return item;
    }));
  };
})();
