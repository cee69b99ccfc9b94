"use strict";
for (const table of document.querySelectorAll("table.rows")) {
  const body = table.tBodies[0];
  const rows = [...body.rows];
  const heads = [...table.tHead.rows[0].cells];
  const words = new Intl.Collator("en", { numeric: true });

  const valueOf = (row, index) => {
    const cell = row.cells[index];
    return cell.dataset.value ?? cell.textContent.trim();
  };

  const sort = (head, index) => {
    const isDown = head.getAttribute("aria-sort") === "ascending";
    const sign = isDown ? -1 : 1;
    const isNumber = head.classList.contains("n");
    heads.forEach((other) => other.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", isDown ? "descending" : "ascending");
    const keyed = rows.map((row) => [valueOf(row, index), row]);
    // What has no value stands at the end, whichever way.
    keyed.sort(([a], [b]) =>
      a === "" || b === "" ? (a === "") - (b === "") : sign * (isNumber ? a - b : words.compare(a, b)));
    body.append(...keyed.map(([, row]) => row));
  };

  heads.forEach((head, index) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    button.addEventListener("click", () => sort(head, index));
    head.append(button);
  });

  if (rows.length >= Number(table.dataset.filterFrom)) {
    const tools = document.createElement("div");
    const label = document.createElement("label");
    const input = document.createElement("input");
    const count = document.createElement("output");
    tools.className = "tools";
    input.type = "search";
    input.id = `${table.id}-filter`;
    label.htmlFor = input.id;
    label.textContent = `Filter ${table.dataset.noun}`;
    const texts = rows.map((row) => row.textContent.toLowerCase());
    input.addEventListener("input", () => {
      const sought = input.value.trim().toLowerCase();
      let shown = 0;
      rows.forEach((row, index) => {
        row.hidden = !texts[index].includes(sought);
        shown += row.hidden ? 0 : 1;
      });
      count.textContent = sought ? `${shown} of ${rows.length} rows` : "";
    });
    tools.append(label, input, count);
    table.before(tools);
  }
}
