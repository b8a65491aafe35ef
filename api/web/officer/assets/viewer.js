// The viewer of scans: pages, zoom, rotation. Pages are fetched some at a time, when they are turned to; the server records each
// look with its reason. A few fetches are kept, and nothing when the page is left. Without this script the same buttons give the
// file itself.

const kept = 4; // fetches that are held in memory

for (const viewer of document.querySelectorAll("[data-viewer]")) {
  const stage = viewer.querySelector("[data-stage]");
  const tools = viewer.querySelector("[data-tools]");
  const reason = viewer.querySelector("[data-reason-field]");
  const number = viewer.querySelector("[data-page]");
  const known = new Map(); // scans by their paths: how many pages, and how many a fetch gives
  const held = new Map(); // fetched pages, those used last at the end
  let scan = null;
  let at = 0;
  let zoom = 1; // 1 is the width of the stage
  let turn = 0;
  let chosen = null; // the form of the scan that is shown
  let asked = 0; // of several fetches, the last one counts

  const place = (page) => `${scan.path} ${Math.floor(page / scan.each)}`;
  const pageAt = () => scan && held.get(place(at))?.[at % scan.each];

  const draw = () => {
    stage.replaceChildren();
    const page = pageAt();
    if (!page) return;
    if (page.problem) {
      const p = document.createElement("p");
      p.className = "empty";
      p.textContent = page.problem;
      stage.append(p);
    } else {
      const quarter = (turn + (page.turn ?? 0)) % 360;
      const lying = quarter % 180 !== 0;
      const width = (stage.clientWidth - 2) * zoom;
      const scale = width / (lying ? page.height : page.width);
      const w = page.width * scale;
      const h = page.height * scale;
      const box = document.createElement("div");
      box.style.width = `${lying ? h : w}px`;
      box.style.height = `${lying ? w : h}px`;
      const picture = new Image();
      picture.src = page.src;
      picture.alt = `${at + 1}`;
      picture.style.width = `${w}px`;
      picture.style.height = `${h}px`;
      picture.style.transform = { 0: "none", 90: `translate(${h}px, 0) rotate(90deg)`, 180: `translate(${w}px, ${h}px) rotate(180deg)`, 270: `translate(0, ${w}px) rotate(270deg)` }[quarter];
      box.append(picture);
      stage.append(box);
    }
    number.value = at + 1;
    number.max = scan.all;
    viewer.querySelector("[data-all]").textContent = `/ ${scan.all}`;
    viewer.querySelector("[data-zoom]").textContent = `${Math.round(zoom * 100)} %`;
    stage.dataset.shown = `${at + 1}`;
  };

  const say = (text, role) => {
    const p = document.createElement("p");
    p.className = "empty";
    if (role) p.setAttribute("role", role);
    p.textContent = text;
    stage.replaceChildren(p);
    delete stage.dataset.shown;
  };

  // fetchPages gives the pages of a scan from one on, or null when another was asked for meanwhile or it went wrong.
  const fetchPages = async (path, from) => {
    const mine = ++asked;
    const failed = (text) => { if (mine === asked) say(text || viewer.dataset.failed, "alert"); return null; };
    stage.setAttribute("aria-busy", "true");
    say(viewer.dataset.waiting);
    try {
      const body = new URLSearchParams({ from });
      if (reason) body.set("reason", reason.value);
      const answer = await fetch(path, { method: "POST", body });
      if (!answer.ok) {
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        return failed(page.querySelector('[role="alert"] p')?.textContent);
      }
      const found = await answer.json();
      return mine === asked ? found : null;
    } catch {
      return failed();
    } finally {
      if (mine === asked) stage.removeAttribute("aria-busy");
    }
  };

  const keep = (where, pages) => {
    held.delete(where);
    held.set(where, pages);
    while (held.size > kept) held.delete(held.keys().next().value);
  };

  const open = async (form) => {
    const path = form.dataset.look;
    for (const button of viewer.querySelectorAll("[data-scan]")) button.setAttribute("aria-pressed", `${button.form === form}`);
    if (!known.has(path)) {
      tools.hidden = true;
      scan = null;
      const found = await fetchPages(path, 1);
      if (!found) return;
      known.set(path, { path, all: found.all, each: found.each });
      keep(`${path} 0`, found.pages);
    }
    scan = known.get(path);
    chosen = form;
    zoom = 1; turn = 0;
    tools.hidden = false;
    await show(0);
  };

  // show turns to a page, which may have to be fetched.
  const show = async (page) => {
    at = Math.min(Math.max(page, 0), scan.all - 1);
    const where = place(at);
    if (held.has(where)) {
      asked += 1; // a fetch that is under way comes too late
      stage.removeAttribute("aria-busy");
      keep(where, held.get(where));
    } else {
      number.value = at + 1;
      const found = await fetchPages(scan.path, Math.floor(at / scan.each) * scan.each + 1);
      if (!found) return;
      keep(where, found.pages);
    }
    draw();
  };

  viewer.addEventListener("submit", (event) => {
    if (!event.target.dataset.look) return;
    event.preventDefault();
    event.stopPropagation();
    open(event.target);
  });

  const acts = {
    previous: () => show(at - 1),
    next: () => show(at + 1),
    first: () => show(0),
    last: () => show(scan.all - 1),
    larger: () => { zoom = Math.min(6, zoom * 1.25); draw(); },
    smaller: () => { zoom = Math.max(0.25, zoom / 1.25); draw(); },
    fit: () => { zoom = 1; draw(); },
    turn: () => { turn = (turn + 90) % 360; draw(); },
    save: () => {
      const why = chosen.querySelector("[data-reason]");
      if (why && reason) why.value = reason.value;
      chosen.submit(); // to where it leads without this script: the file itself
    },
  };
  const act = (name) => {
    if (scan?.all) acts[name]();
  };
  viewer.addEventListener("click", (event) => {
    const name = event.target.closest("[data-do]")?.dataset.do;
    if (name) act(name);
  });
  number.addEventListener("change", () => {
    if (scan?.all) show((number.valueAsNumber || at + 1) - 1);
  });
  stage.addEventListener("keydown", (event) => {
    const name = { "+": "larger", "=": "larger", "-": "smaller", 0: "fit", r: "turn", R: "turn", PageUp: "previous", PageDown: "next", Home: "first", End: "last" }[event.key];
    if (!name || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    act(name);
  });
  stage.addEventListener("wheel", (event) => {
    if (!event.ctrlKey || !scan?.all) return;
    event.preventDefault();
    act(event.deltaY < 0 ? "larger" : "smaller");
  }, { passive: false });
}
