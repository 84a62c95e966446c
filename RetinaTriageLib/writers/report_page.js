"use strict";
(() => {
  const report = JSON.parse(document.getElementById("report-data").textContent);
  const [bscans, depths, widths] = report.shape;
  const one = (selector) => document.querySelector(selector);
  const all = (selector) => [...document.querySelectorAll(selector)];
  const grayCanvas = one("#gray");
  const overlayCanvas = one("#overlay");
  const stage = one("#stage");
  const slider = one("#bscan-slider");
  const hypothesisMaps = report.maps.map((_, at) => at).filter((at) => report.maps[at].hypothesis);
  const state = { bscan: report.opening, map: 0, drawn: 0, labels: null };

  // --- pictures -----------------------------------------------------------------------------
  const bytesOf = (base64) => Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  const pictureOf = (base64, type) =>
    createImageBitmap(new Blob([bytesOf(base64)], { type }), { colorSpaceConversion: "none" });

  const decoder = document.createElement("canvas");
  decoder.width = widths;
  decoder.height = depths;
  const decoding = decoder.getContext("2d", { willReadFrequently: true });
  const decoded = new Map(); // the last label maps, by "map/B-scan"

  async function labelsOf(map, bscan) {
    const key = `${map}/${bscan}`;
    if (decoded.has(key)) return decoded.get(key);
    const picture = await pictureOf(report.maps[map].pictures[bscan], "image/png");
    decoding.drawImage(picture, 0, 0);
    const rgba = decoding.getImageData(0, 0, widths, depths).data;
    const labels = new Uint8Array(widths * depths);
    for (let at = 0; at < labels.length; at++) labels[at] = Math.round(rgba[4 * at] / report.labelStep);
    decoded.set(key, labels);
    if (decoded.size > 60) decoded.delete(decoded.keys().next().value);
    return labels;
  }

  // --- drawing ------------------------------------------------------------------------------
  const checks = all("[data-tissue]");
  function colorTable() {
    const table = new Uint32Array(256);
    report.tissues.forEach((tissue, label) => {
      if (!checks[label].checked) return;
      const rgb = parseInt(tissue.color.slice(1), 16);
      table[label] = (0xff000000 | ((rgb & 255) << 16) | (rgb & 0xff00) | (rgb >> 16)) >>> 0;
    });
    return table;
  }

  const isOn = (selector) => one(selector)?.checked ?? false;

  async function draw() {
    const turn = ++state.drawn;
    const { bscan, map } = state;
    const onlyDisagreement = isOn("#only-disagreement");
    const wanted = onlyDisagreement ? hypothesisMaps : [];
    const [gray, labels, ...others] = await Promise.all([
      pictureOf(report.gray[bscan], "image/jpeg"),
      labelsOf(map, bscan),
      ...wanted.map((other) => labelsOf(other, bscan)),
    ]);
    if (turn !== state.drawn) return; // a later B-scan was asked for meanwhile
    grayCanvas.getContext("2d").drawImage(gray, 0, 0);
    const context = overlayCanvas.getContext("2d");
    const image = context.createImageData(widths, depths);
    const pixels = new Uint32Array(image.data.buffer);
    const colors = colorTable();
    const outline = isOn("#outline");
    const sizes = new Array(report.tissues.length).fill(0);
    for (let at = 0; at < labels.length; at++) {
      const label = labels[at];
      sizes[label]++;
      if (onlyDisagreement && others.every((other) => other[at] === others[0][at])) continue;
      if (outline && labels[at - 1] === label && labels[at + 1] === label && labels[at + widths] === label && labels[at - widths] === label) continue;
      pixels[at] = colors[label];
    }
    context.putImageData(image, 0, 0);
    state.labels = labels;
    showSizes(sizes);
  }

  function showSizes(sizes) {
    const spacing = report.spacingUm;
    const squareMm = spacing ? (spacing.depth * spacing.width) / 1e6 : null;
    all("[data-size]").forEach((cell, label) => {
      cell.textContent = !sizes[label] ? "" : squareMm ? `${(sizes[label] * squareMm).toFixed(3)} mm²` : `${sizes[label]} px`;
      cell.closest("li").classList.toggle("absent", !sizes[label]);
    });
  }

  function place() {
    const { bscan } = state;
    one("#bscan-number").textContent = `${bscan + 1} / ${bscans}`;
    if (slider) slider.value = bscan;
    all("svg.enface").forEach((svg) => {
      const height = svg.viewBox.baseVal.height;
      const share = (bscan + 0.5) / bscans;
      const row = height * (report.superiorSign > 0 ? 1 - share : share);
      const line = svg.querySelector(".position");
      line.setAttribute("y1", row);
      line.setAttribute("y2", row);
    });
    all("svg.localizer .scan").forEach((line, at) => line.classList.toggle("now", at === bscan));
    one("svg.strip .now")?.setAttribute("x", bscan);
  }

  function show(bscan) {
    state.bscan = Math.min(Math.max(bscan, 0), bscans - 1);
    place();
    draw();
  }

  // --- controls -----------------------------------------------------------------------------
  const press = (buttons, chosen) =>
    buttons.forEach((button) => button.setAttribute("aria-pressed", String(button === chosen)));

  function chooseMap(map) {
    state.map = map;
    const buttons = all("[data-map]");
    press(buttons, buttons[map]);
    overlayCanvas.hidden = false;
    draw();
  }
  all("[data-map]").forEach((button, map) => button.addEventListener("click", () => chooseMap(map)));

  function chooseScale(button) {
    press(all("[data-aspect]"), button);
    stage.style.setProperty("--aspect", button.dataset.aspect);
  }
  all("[data-aspect]").forEach((button) => button.addEventListener("click", () => chooseScale(button)));

  // Outlines hide little of the picture and would vanish at the opacity that suits areas.
  const setOpacity = () => (overlayCanvas.style.opacity = isOn("#outline") ? 1 : one("#opacity").value / 100);
  one("#opacity").addEventListener("input", setOpacity);
  one("#outline").addEventListener("change", setOpacity);
  [...checks, ...["#only-disagreement", "#outline"].map(one)].forEach((box) => box?.addEventListener("change", draw));
  all("[data-check]").forEach((button) =>
    button.addEventListener("click", () => {
      checks.forEach((box) => (box.checked = button.dataset.check === "all" || (button.dataset.check === "usual" && box.defaultChecked)));
      draw();
    }));
  all("[data-jump]").forEach((button) => button.addEventListener("click", () => show(Number(button.dataset.jump))));
  slider?.addEventListener("input", () => show(Number(slider.value)));
  one("svg.strip")?.addEventListener("click", (event) => {
    const box = event.currentTarget.getBoundingClientRect();
    show(Math.floor(((event.clientX - box.left) / box.width) * bscans));
  });

  let turned = 0;
  stage.addEventListener("wheel", (event) => {
    if (bscans === 1 || event.ctrlKey) return;
    event.preventDefault();
    const pixels = event.deltaMode === 0 ? event.deltaY : 50 * event.deltaY;
    turned += Math.max(-50, Math.min(50, pixels)); // one notch of a wheel is one B-scan
    const step = Math.trunc(turned / 50);
    if (!step) return;
    turned = 0;
    show(state.bscan + step);
  }, { passive: false });

  document.addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey || event.target.type === "range") return;
    const upDown = event.target === stage ? { ArrowUp: 1, ArrowDown: -1, Home: -bscans, End: bscans, PageUp: 5, PageDown: -5 } : {};
    const step = { ArrowRight: 1, ArrowLeft: -1, ...upDown }[event.key];
    if (step) show(state.bscan + step);
    else if (event.key === "h") overlayCanvas.hidden = !overlayCanvas.hidden;
    else if (/^[0-9]$/.test(event.key) && report.maps[Number(event.key)]) chooseMap(Number(event.key));
    else return;
    event.preventDefault();
  });

  // --- pointing -----------------------------------------------------------------------------
  stage.addEventListener("pointermove", (event) => {
    const box = stage.getBoundingClientRect();
    const column = Math.floor(((event.clientX - box.left) / box.width) * widths);
    const row = Math.floor(((event.clientY - box.top) / box.height) * depths);
    if (!state.labels || column < 0 || row < 0 || column >= widths || row >= depths) return;
    const tissue = report.tissues[state.labels[row * widths + column]];
    one("#readout").textContent = `A-scan ${column + 1}, depth ${row + 1}: ${tissue.title}`;
  });

  const enfaceValues = new Map();
  function enfaceValue(name, bscan, width) {
    const map = report.enface[name];
    if (!enfaceValues.has(name)) enfaceValues.set(name, new DataView(bytesOf(map.values).buffer));
    const whole = enfaceValues.get(name).getUint16(2 * (bscan * widths + width), true);
    if (whole === 65535) return "no data";
    return `${(whole / map.scale).toFixed(map.scale > 100 ? 3 : 0)} ${map.unit}`;
  }

  function enfacePosition(svg, event) {
    const box = svg.getBoundingClientRect();
    const down = Math.min(Math.max((event.clientY - box.top) / box.height, 0), 0.9999);
    const across = Math.min(Math.max((event.clientX - box.left) / box.width, 0), 0.9999);
    return [Math.floor((report.superiorSign > 0 ? 0.9999 - down : down) * bscans), Math.floor(across * widths)];
  }

  all("svg.enface").forEach((svg) => {
    svg.addEventListener("click", (event) => show(enfacePosition(svg, event)[0]));
    svg.addEventListener("pointermove", (event) => {
      const [bscan, width] = enfacePosition(svg, event);
      const name = svg.closest("[data-enface]").dataset.enface;
      const value = name && report.enface[name] ? `: ${enfaceValue(name, bscan, width)}` : "";
      svg.closest("[data-enface]").querySelector(".value-here").textContent = `B-scan ${bscan + 1}${value}`;
    });
  });

  all("[data-choose]").forEach((button) =>
    button.addEventListener("click", () => {
      press(all("[data-choose]"), button);
      const box = one("#navigator");
      box.dataset.enface = button.dataset.choose;
      box.querySelector(".overlay").setAttribute("href", `#map-${button.dataset.choose}`);
      all("#navigator [data-legend]").forEach((legend) => (legend.hidden = legend.dataset.legend !== button.dataset.choose));
    }));
  one("#map-opacity")?.addEventListener("input", (event) => (one("#navigator .overlay").style.opacity = event.target.value / 100));

  const away = (x, y, [[x1, y1], [x2, y2]]) => {
    const along = ((x - x1) * (x2 - x1) + (y - y1) * (y2 - y1)) / ((x2 - x1) ** 2 + (y2 - y1) ** 2 || 1);
    const share = Math.min(Math.max(along, 0), 1);
    return Math.hypot(x - x1 - share * (x2 - x1), y - y1 - share * (y2 - y1));
  };
  one("svg.localizer")?.addEventListener("click", (event) => {
    const svg = event.currentTarget;
    const box = svg.getBoundingClientRect();
    const mm = svg.viewBox.baseVal.width / 100 / box.width;
    const distances = (report.localizerMm ?? []).map((line) => away((event.clientX - box.left) * mm, (event.clientY - box.top) * mm, line));
    if (distances.length) show(distances.indexOf(Math.min(...distances)));
  });

  setOpacity();
  chooseMap(0);
  show(report.opening);
})();
