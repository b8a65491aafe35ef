// The sealing desk: the page at true size, seals that are dragged and moved by keys, previews, and the order.

import { ranges, thumbnails } from "./thumbs.js";

const desk = document.querySelector(".desk");
const settings = JSON.parse(desk?.dataset.settings ?? "{}");
const words = settings.words ?? {};
const form = document.getElementById("order");
const sheet = document.getElementById("sheet");
const scale = 96 / 25.4; // pixels of CSS in a millimetre: true size

const places = []; // {page, x, y}: millimetres from the lower left corner of the page to that of the seal
let page = 1;
let current = null;
let thumbs = null;

function start() {
  document.body.classList.add("scripted");
  thumbs = thumbnails(document.querySelector(".thumbs"), settings, show);
  if (!form.querySelector("input[name=seal]:checked")) form.querySelector("input[name=seal]:not(:disabled)").checked = true;
  form.addEventListener("change", changed);
  for (const name of ["page", "x", "y"]) form.elements[name].addEventListener("change", typed);
  document.getElementById("add").addEventListener("click", () => add(page));
  document.getElementById("every").addEventListener("click", everyPage);
  document.getElementById("clear").addEventListener("click", () => { places.length = 0; current = null; draw(); });
  document.getElementById("find").addEventListener("click", () => find(document.getElementById("keyword").value));
  for (const b of document.querySelectorAll("[data-snap]")) b.addEventListener("click", () => (b.dataset.snap === "corner" ? corner() : find(words.signWords)));
  document.getElementById("look").addEventListener("click", preview);
  form.addEventListener("submit", submit);
  const first = { page: settings.pages.length, ...fromCorner(settings.pages.length, Number(form.elements.x.value), Number(form.elements.y.value)) };
  places.push(first);
  current = first;
  show(first.page);
  terminal();
}

const seal = () => settings.seals.find((s) => s.code === form.elements.seal.value) ?? settings.seals[0];
const size = (n) => settings.pages[n - 1];
const round = (mm) => Math.round(mm * 100) / 100;

// fromCorner turns distances from the lower right corner, as the form has them, into ours.
function fromCorner(n, x, y) {
  const [w] = size(n);
  return inside(n, w - x - seal().width, y);
}

function inside(n, x, y) {
  const [w, h] = size(n);
  return { x: round(Math.max(0, Math.min(w - seal().width, x))), y: round(Math.max(0, Math.min(h - seal().height, y))) };
}

function show(n) {
  page = n;
  thumbs.show(n);
  draw();
  sheet.querySelector(".stamp.current")?.scrollIntoView({ block: "center", inline: "nearest" });
}

function draw() {
  const [w, h] = size(page);
  sheet.style.width = `${w * scale}px`;
  sheet.style.height = `${h * scale}px`;
  let picture = sheet.querySelector("img.page");
  const address = `/clerk/documents/${settings.document}/pages/${page}`;
  if (!picture) {
    picture = document.createElement("img");
    picture.className = "page";
    sheet.append(picture);
  }
  picture.alt = `${words.page} ${page}`;
  if (picture.getAttribute("src") !== address) picture.setAttribute("src", address);
  for (const old of sheet.querySelectorAll(".stamp, .ruler")) if (old.place !== current || old.place?.page !== page) old.remove();
  rulers(w, h);
  for (const place of places) if (place.page === page) stamp(place, h);
  thumbs.mark(new Set(places.map((p) => p.page)));
  fields();
}

// rulers draws a mark for every 10 mm along the upper and the left edge.
function rulers(w, h) {
  for (const old of sheet.querySelectorAll(".ruler")) old.remove();
  const ruler = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  ruler.setAttribute("class", "ruler");
  ruler.setAttribute("width", w * scale + 14);
  ruler.setAttribute("height", h * scale + 14);
  ruler.setAttribute("aria-hidden", "true");
  ruler.style.left = ruler.style.top = "-14px";
  const line = (x1, y1, x2, y2) => {
    const l = document.createElementNS(ruler.namespaceURI, "path");
    l.setAttribute("d", `M${x1} ${y1}L${x2} ${y2}`);
    l.setAttribute("stroke", "currentColor");
    ruler.append(l);
  };
  const text = (x, y, mm) => {
    const t = document.createElementNS(ruler.namespaceURI, "text");
    t.setAttribute("x", x);
    t.setAttribute("y", y);
    t.setAttribute("fill", "currentColor");
    t.textContent = mm;
    ruler.append(t);
  };
  for (let mm = 0; mm <= w; mm += 5) { line(14 + mm * scale, 14, 14 + mm * scale, mm % 10 ? 11 : 8); if (mm % 20 === 0) text(16 + mm * scale, 8, mm); }
  for (let mm = 0; mm <= h; mm += 5) { line(14, 14 + (h - mm) * scale, mm % 10 ? 11 : 8, 14 + (h - mm) * scale); if (mm % 20 === 0 && mm) text(0, 11 + (h - mm) * scale, mm); }
  sheet.append(ruler);
}

function stamp(place, h) {
  const s = seal();
  let box = [...sheet.querySelectorAll(".stamp")].find((b) => b.place === place);
  if (!box) {
    box = document.createElement("div");
    box.className = "stamp";
    box.place = place;
    box.tabIndex = 0;
    box.setAttribute("role", "application");
    box.append(document.createElement("img"), document.createElement("output"));
    box.addEventListener("pointerdown", drag);
    box.addEventListener("keydown", keys);
    box.addEventListener("focus", () => pick(place));
    sheet.append(box);
  }
  const img = box.querySelector("img");
  img.alt = s.name;
  const address = `/clerk/seals/${s.code}/picture`;
  if (img.getAttribute("src") !== address) img.setAttribute("src", address);
  box.style.width = `${s.width * scale}px`;
  box.style.height = `${s.height * scale}px`;
  box.style.left = `${place.x * scale}px`;
  box.style.top = `${(h - place.y - s.height) * scale}px`;
  const [w] = size(place.page);
  const said = `${words.right} ${round(w - place.x - s.width)} · ${words.bottom} ${place.y} mm`;
  box.setAttribute("aria-label", `${s.name}, ${said}`);
  box.querySelector("output").textContent = said;
  box.classList.toggle("current", place === current);
}

function pick(place) {
  current = place;
  draw();
}

function drag(event) {
  const box = event.currentTarget;
  const place = box.place;
  const from = { x: event.clientX, y: event.clientY, left: place.x, bottom: place.y };
  box.setPointerCapture(event.pointerId);
  box.focus({ preventScroll: true });
  const move = (e) => Object.assign(place, inside(place.page, from.left + (e.clientX - from.x) / scale, from.bottom - (e.clientY - from.y) / scale)) && draw();
  const end = () => {
    box.removeEventListener("pointermove", move);
    box.removeEventListener("pointerup", end);
    box.removeEventListener("pointercancel", end);
  };
  box.addEventListener("pointermove", move);
  box.addEventListener("pointerup", end);
  box.addEventListener("pointercancel", end);
  event.preventDefault();
}

const directions = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };

function keys(event) {
  const place = event.currentTarget.place;
  if (event.key === "Delete" || event.key === "Backspace") {
    places.splice(places.indexOf(place), 1);
    current = places.find((p) => p.page === page) ?? null;
    event.preventDefault();
    draw();
    return;
  }
  const to = directions[event.key];
  if (!to) return;
  const step = event.shiftKey ? 10 : event.altKey ? 0.1 : 1;
  Object.assign(place, inside(place.page, place.x + to[0] * step, place.y + to[1] * step));
  event.preventDefault();
  draw();
}

function add(n) {
  const there = current ?? { x: size(n)[0] - seal().width - 30, y: 40 };
  const overlaps = places.some((p) => p.page === n && Math.abs(p.x - there.x) < 1 && Math.abs(p.y - there.y) < 1);
  const place = { page: n, ...inside(n, there.x - (overlaps ? seal().width + 2 : 0), there.y) };
  places.push(place);
  current = place;
  show(n);
}

function everyPage() {
  const there = current ?? { x: size(page)[0] - seal().width - 30, y: 40 };
  const taken = new Set(places.map((p) => p.page));
  for (let n = 1; n <= settings.pages.length; n++) if (!taken.has(n)) places.push({ page: n, ...inside(n, there.x, there.y) });
  draw();
}

function corner() {
  if (!current) add(page);
  Object.assign(current, inside(current.page, size(current.page)[0] - seal().width - 20, 20));
  draw();
}

// fields keeps the numbers of the form those of the current seal.
function fields() {
  if (!current) return;
  const [w] = size(current.page);
  form.elements.page.value = current.page;
  form.elements.x.value = round(w - current.x - seal().width);
  form.elements.y.value = current.y;
}

function typed() {
  let n = Math.trunc(Number(form.elements.page.value));
  if (n < 0) n = settings.pages.length + 1 + n;
  if (!(n >= 1 && n <= settings.pages.length)) { fields(); return; }
  if (!current) { current = { page: n }; places.push(current); }
  current.page = n;
  Object.assign(current, fromCorner(n, Number(form.elements.x.value) || 0, Number(form.elements.y.value) || 0));
  show(n);
}

// terminal tells of the program that a USB Key needs, while a seal on one is chosen.
function terminal() {
  const box = document.getElementById("agent");
  if (box) box.hidden = !seal().key;
}

function changed(event) {
  if (event.target.name === "seal") {
    for (const p of places) Object.assign(p, inside(p.page, p.x, p.y));
    draw();
    terminal();
  }
  if (event.target.name === "straddle") straddle();
}

// order is what the service is asked for: pages with the seal at the same place are one placement, of which there may be 64.
function order() {
  const groups = [];
  const open = new Map();
  for (const p of places) {
    const at = `${p.x} ${p.y}`;
    let group = open.get(at);
    if (!group || group.pages.has(p.page)) { // seals upon each other stay two
      group = { x: p.x, y: p.y, pages: new Set() };
      groups.push(group);
      open.set(at, group);
    }
    group.pages.add(p.page);
  }
  const placements = groups.flatMap(({ x, y, pages }) => ranges([...pages].sort((a, b) => a - b)).map((range) => ({ pages: range, from: "bottom-left", x, y })));
  const o = { document: settings.document, seal: seal().code, profile: form.elements.profile.value, placements };
  if (form.elements.straddle.checked) o.straddle = {};
  const accept = accepted();
  if (accept.length) o.accept = accept;
  return o;
}

const accepted = () => [...form.querySelectorAll("input[name=accept]:checked")].map((box) => box.value);

// ask calls the service; its problems have a sentence in the language of the page.
async function ask(path, body, header = {}) {
  const answer = await fetch(path, { method: "POST", headers: { "Content-Type": "application/json", ...header }, body: JSON.stringify(body) });
  const json = await answer.json();
  if (!answer.ok) throw Object.assign(new Error(document.documentElement.lang.startsWith("zh") ? json.message : json.message_en), { code: json.code });
  return json;
}

const findings = document.getElementById("findings");

function say(kind, ...lines) {
  findings.replaceChildren(...lines.map((line) => {
    const p = document.createElement("p");
    p.className = `notice ${kind}`;
    const icon = document.createElement("span");
    icon.className = "icon";
    icon.setAttribute("aria-hidden", "true");
    p.append(icon, line);
    return p;
  }));
}

const zh = document.documentElement.lang.startsWith("zh");

function sayDetails(details) {
  const lines = [...details.findings, ...details.notes].map((f) => (f.page ? `${words.page} ${f.page}: ` : "") + (zh ? f.message : f.message_en));
  say(details.findings.some((f) => f.severity !== "info") ? "doubt" : "note", ...lines);
}

async function straddle() {
  const parts = document.getElementById("straddle-parts");
  const said = document.getElementById("straddle-words");
  parts.replaceChildren();
  said.textContent = "";
  if (!form.elements.straddle.checked) return;
  said.textContent = words.working;
  try {
    const p = await ask("/v1/previews", { document: settings.document, seal: seal().code, straddle: {}, accept: accepted(), dpi: 24 });
    const strips = p.details.marks.filter((m) => m.kind === "straddle");
    const group = Math.max(0, ...strips.map((m) => m.parts));
    const last = strips.length ? strips[strips.length - 1].parts : 0;
    said.textContent = words.straddle.replace("{pages}", settings.pages.length).replace("{group}", group).replace("{last}", last);
    for (const shown of p.pages.slice(0, 20)) {
      const img = document.createElement("img");
      img.src = `data:image/png;base64,${shown.png}`;
      img.alt = `${words.page} ${shown.number}`;
      parts.append(img);
    }
    sayDetails(p.details);
  } catch (e) {
    said.textContent = "";
    say("bad", e.message);
  }
}

async function preview() {
  say("note", words.working);
  try {
    const p = await ask("/v1/previews", { ...order(), dpi: 96, show: [page] });
    sayDetails(p.details);
    const shown = p.pages.find((x) => x.number === page);
    if (!shown) return;
    const dialog = document.createElement("dialog");
    const img = document.createElement("img");
    img.src = `data:image/png;base64,${shown.png}`;
    img.alt = `${words.page} ${page}`;
    const close = document.createElement("button");
    close.className = "button quiet";
    close.textContent = words.close;
    close.addEventListener("click", () => dialog.close());
    dialog.addEventListener("close", () => dialog.remove());
    dialog.style.maxWidth = "95vw";
    dialog.append(close, img);
    document.body.append(dialog);
    dialog.showModal();
  } catch (e) {
    say("bad", e.message);
  }
}

async function find(text) {
  if (!text) return;
  say("note", words.working);
  for (const one of text.split("|")) {
    try {
      const p = await ask("/v1/previews", { document: settings.document, seal: seal().code, placement: { keyword: one, nth: -1 }, accept: accepted(), dpi: 10 });
      const mark = p.details.marks[0];
      if (!current) { current = {}; places.push(current); }
      current.page = mark.page;
      Object.assign(current, inside(mark.page, mark.x_mm, mark.y_mm));
      say("note");
      show(mark.page);
      return;
    } catch (e) {
      say("bad", e.message);
    }
  }
}

// submit asks once more, in words, before what cannot be undone; afterwards the page of the result says how it went.
async function submit(event) {
  event.preventDefault();
  delete form.dataset.sent;
  form.removeAttribute("aria-busy");
  if (!places.length && !form.elements.straddle.checked) { say("doubt", words.nowhere); return; }
  if (form.querySelector("input[name=accept]:not(:checked)")) { say("doubt", words.accept); return; }
  if (order().placements.length > 64) { say("doubt", words.many); return; }
  const sure = document.getElementById("sure");
  document.getElementById("sure-words").textContent = words.sure.replace("{seal}", seal().name).replace("{n}", places.length + (form.elements.straddle.checked ? 1 : 0));
  document.getElementById("sure-key").hidden = !seal().key;
  sure.returnValue = "no";
  sure.showModal();
  await new Promise((done) => sure.addEventListener("close", done, { once: true }));
  if (sure.returnValue !== "yes") return;
  const go = document.getElementById("go");
  go.disabled = true;
  say("note", words.working);
  const key = { "Idempotency-Key": `page-${form.elements.key.value}` };
  try {
    const { document: id, ...terms } = order();
    if (seal().key) {
      const task = await ask("/v1/key-tasks", { items: [{ document: id, order: terms }] }, key);
      location.assign(`/clerk/tasks/${task.id}`);
    } else {
      const done = await ask("/v1/sealings", order(), key);
      location.assign(`/clerk/sealings/${done.id}?said=sealed`);
    }
  } catch (e) {
    go.disabled = false;
    say("bad", e.message);
  }
}

if (desk && sheet) start();
