"use strict";
(() => {
  const data = JSON.parse(document.getElementById("cohort-data").textContent);
  const PAGE = 100; // rows drawn at a time
  const by = (id) => document.getElementById(id);

  // All text from files is written by textContent, never as markup.
  const make = (tag, className, text) => {
    const element = document.createElement(tag);
    if (className) element.className = className;
    if (text !== undefined) element.textContent = text;
    return element;
  };
  const shown = (value, digits) =>
    value === null || value === undefined ? "–" : value.toFixed(digits);
  const volume = (value) => (value === null ? "–" : value === 0 ? "0" : value.toFixed(value < 100 ? 1 : 0));
  const rank = (row) => "rank-" + Math.min(row.urgency, row.urgency < data.referrals.length ? 3 : 4);

  const picture = (row) => {
    if (!row.thumbnail) return make("span", "empty");
    const image = make("img");
    image.loading = "lazy";
    image.width = 266;
    image.height = 96;
    image.alt = "En face and B-scan of " + row.id;
    image.src = row.thumbnail;
    return linked(row, image);
  };
  const linked = (row, child) => {
    if (!row.report) return child;
    const link = make("a");
    link.href = row.report;
    link.append(child);
    return link;
  };
  const caseCell = (row) => {
    const cell = document.createDocumentFragment();
    cell.append(linked(row, row.report ? document.createTextNode(row.id) : make("strong", "", row.id)));
    const whom = [row.patient, row.date, row.age === null ? "" : shown(row.age, 0) + " y", row.sex];
    for (const line of [whom.filter(Boolean).join(" · "), row.file]) {
      if (line && line !== row.id) cell.append(make("small", "", line));
    }
    if (row.said) {
      const details = make("details");
      details.append(make("summary", "", "Assumed, notes"), make("span", "", row.said));
      cell.append(details);
    }
    return cell;
  };
  const referralCell = (row) => {
    const cell = document.createDocumentFragment();
    cell.append(make("span", "answer " + rank(row), row.referral));
    const spread = row.spread === null ? "" : " ± " + shown(row.spread, 2);
    if (row.score !== null) cell.append(make("small", "", "score " + shown(row.score, 2) + spread));
    return cell;
  };
  const conditionCell = (row) => {
    const cell = document.createDocumentFragment();
    for (const [index, score] of row.conditions) {
      const chip = make("span", "chip", data.conditions[index]);
      chip.append(make("b", "", shown(score, 2)));
      cell.append(chip);
    }
    if (!row.conditions.length) cell.append(make("span", "quiet", "none"));
    return cell;
  };
  const text = (write) => (row) => document.createTextNode(write(row));
  const first = (row) => (row.conditions.length ? data.conditions[row.conditions[0][0]] : null);

  // Title, class, what a row is sorted by, what its cell shows, whether large ones come first.
  const columns = [
    ["", "picture", null, picture],
    ["Case", "case", (row) => row.id.toLowerCase(), caseCell],
    ["Referral", "", (row) => row.urgency, referralCell],
    ["Conditions", "", first, conditionCell],
    ["CST (µm)", "number", (row) => row.cst, text((row) => shown(row.cst, 0)), true],
    ["Fluid (nl)", "number", (row) => row.fluid, text((row) => volume(row.fluid)), true],
    ["PED (nl)", "number", (row) => row.ped, text((row) => volume(row.ped)), true],
    ["Disagreement", "number", (row) => row.disagreement, text((row) => shown(row.disagreement, 3)), true],
    ["Eye", "", (row) => row.eye || null, text((row) => row.eye || "–")],
    ["Device", "", (row) => row.device || null, text((row) => row.device || "–")],
  ].map(([title, className, key, cell, down]) => ({ title, className, key, cell, down: Boolean(down) }));

  const state = { column: columns[2], down: false, drawn: PAGE, referrals: new Set() };

  const collator = new Intl.Collator(undefined, { numeric: true });

  // Unknown values come last in either order; equal ones go by urgency, then disagreement.
  const compare = (a, b, down) => {
    if (a === b) return 0;
    if (a === null) return 1;
    if (b === null) return -1;
    const order = typeof a === "string" ? collator.compare(a, b) : a - b;
    return down ? -order : order;
  };
  const sorted = (rows) =>
    [...rows].sort(
      (a, b) =>
        compare(state.column.key(a), state.column.key(b), state.down) ||
        a.urgency - b.urgency ||
        compare(a.disagreement, b.disagreement, true) ||
        compare(a.id, b.id, false)
    );

  const within = (value, low, high) => {
    const from = by(low).valueAsNumber, to = by(high).valueAsNumber;
    if (Number.isNaN(from) && Number.isNaN(to)) return true;
    return value !== null && !(value < from) && !(value > to);
  };
  const filtered = () => {
    const condition = by("condition-filter").value, words = by("text-filter").value.toLowerCase().split(/\s+/);
    return data.rows.filter((row) => {
      const searched = [row.id, row.file, row.patient, row.date, row.said].join(" ").toLowerCase();
      return (
        (!state.referrals.size || state.referrals.has(row.urgency)) &&
        (condition === "" || row.conditions.some(([index]) => index === Number(condition))) &&
        (by("eye-filter").value === "" || row.eye === by("eye-filter").value) &&
        (by("device-filter").value === "" || row.device === by("device-filter").value) &&
        within(row.cst, "cst-low", "cst-high") &&
        within(row.disagreement, "disagreement-low", "disagreement-high") &&
        words.every((word) => searched.includes(word))
      );
    });
  };

  const body = by("table").tBodies[0], heads = by("table").tHead.rows[0];
  const line = (row) => {
    const tr = make("tr");
    for (const column of columns) {
      const td = make("td", column.className);
      td.append(column.cell(row));
      tr.append(td);
    }
    return tr;
  };
  const draw = () => {
    const rows = sorted(filtered()), drawn = rows.slice(0, state.drawn);
    body.replaceChildren(...drawn.map(line));
    columns.forEach((column, at) => {
      const head = heads.cells[at];
      if (column === state.column) head.setAttribute("aria-sort", state.down ? "descending" : "ascending");
      else head.removeAttribute("aria-sort");
    });
    const all = data.rows.length;
    by("count").textContent = rows.length === all ? cases(all) : rows.length + " of " + cases(all);
    by("none").hidden = rows.length > 0;
    by("more").hidden = drawn.length === rows.length;
    by("more").textContent = "Show more (" + (rows.length - drawn.length) + " left)";
  };
  const cases = (count) => count + (count === 1 ? " case" : " cases");
  const again = () => {
    state.drawn = PAGE;
    draw();
  };

  const choose = (id, values) => {
    for (const [value, title] of values) {
      const option = make("option", "", title);
      option.value = value;
      by(id).append(option);
    }
  };
  const distinct = (key) => [...new Set(data.rows.map((row) => row[key]))].filter(Boolean).sort();
  const setUp = () => {
    for (const column of columns) {
      const head = make("th", column.className);
      head.scope = "col";
      if (column.key) {
        const button = make("button", "", column.title);
        button.type = "button";
        button.addEventListener("click", () => {
          state.down = column === state.column ? !state.down : column.down;
          state.column = column;
          again();
        });
        head.append(button);
      }
      heads.append(head);
    }
    data.referrals.forEach((title, urgency) => {
      const count = data.rows.filter((row) => row.urgency === urgency).length;
      const chip = make("button", "rank-" + Math.min(urgency, 3), title);
      chip.type = "button";
      chip.setAttribute("aria-pressed", "false");
      chip.append(make("b", "", String(count)));
      chip.addEventListener("click", () => {
        const pressed = !state.referrals.delete(urgency);
        if (pressed) state.referrals.add(urgency);
        chip.setAttribute("aria-pressed", String(pressed));
        again();
      });
      by("referral-filter").append(chip);
    });
    const counts = data.conditions.map((_, at) => data.rows.filter((row) => row.conditions.some(([c]) => c === at)).length);
    choose("condition-filter", data.conditions.map((title, at) => [at, title + " (" + counts[at] + ")"]));
    for (const key of ["eye", "device"]) {
      const values = distinct(key);
      choose(key + "-filter", values.map((value) => [value, value]));
      by(key + "-field").hidden = values.length < 2;
    }
    by("filters").addEventListener("input", again);
    by("filters").addEventListener("submit", (event) => event.preventDefault());
    by("filters").addEventListener("reset", () => {
      state.referrals.clear();
      for (const chip of by("referral-filter").children) chip.setAttribute("aria-pressed", "false");
      setTimeout(again); // after the fields have been emptied
    });
    by("more").addEventListener("click", () => {
      state.drawn += 5 * PAGE;
      draw();
    });
  };
  setUp();
  draw();
})();
