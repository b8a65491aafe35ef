// The viewer of scans: pages, zoom, rotation. A scan is fetched once for a look, which the server records with its
// reason; nothing of it is kept when the page is left. Without this script the same buttons give the file itself.

for (const viewer of document.querySelectorAll("[data-viewer]")) {
  const stage = viewer.querySelector("[data-stage]");
  const tools = viewer.querySelector("[data-tools]");
  const reason = viewer.querySelector("[data-reason-field]");
  const known = new Map();
  let pages = [];
  let all = 0;
  let at = 0;
  let zoom = 1; // 1 is the width of the stage
  let turn = 0;
  let chosen = null; // the form of the scan that is shown

  const draw = () => {
    stage.replaceChildren();
    const page = pages[at];
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
    if (all > pages.length && at === pages.length - 1) {
      const p = document.createElement("p");
      p.className = "fine";
      p.textContent = `${viewer.dataset.more} ${all}`;
      stage.append(p);
    }
    viewer.querySelector("[data-page]").textContent = `${at + 1} / ${pages.length}`;
    viewer.querySelector("[data-zoom]").textContent = `${Math.round(zoom * 100)} %`;
    stage.dataset.shown = `${at + 1}`;
  };

  const say = (text) => {
    const p = document.createElement("p");
    p.className = "empty";
    p.setAttribute("role", "alert");
    p.textContent = text;
    stage.replaceChildren(p);
    tools.hidden = true;
  };

  const open = async (form) => {
    const path = form.dataset.look;
    for (const button of viewer.querySelectorAll("[data-scan]")) button.setAttribute("aria-pressed", `${button.form === form}`);
    if (!known.has(path)) {
      stage.setAttribute("aria-busy", "true");
      try {
        const body = new URLSearchParams();
        if (reason) body.set("reason", reason.value);
        const answer = await fetch(path, { method: "POST", body });
        if (!answer.ok) {
          const page = new DOMParser().parseFromString(await answer.text(), "text/html");
          say(page.querySelector('[role="alert"] p')?.textContent ?? viewer.dataset.failed);
          return;
        }
        known.set(path, await answer.json());
      } catch {
        say(viewer.dataset.failed);
        return;
      } finally {
        stage.removeAttribute("aria-busy");
      }
    }
    chosen = form;
    ({ pages, all } = known.get(path));
    at = 0; zoom = 1; turn = 0;
    tools.hidden = false;
    draw();
  };

  viewer.addEventListener("submit", (event) => {
    if (!event.target.dataset.look) return;
    event.preventDefault();
    event.stopPropagation();
    open(event.target);
  });

  const acts = {
    previous: () => { at = Math.max(0, at - 1); },
    next: () => { at = Math.min(pages.length - 1, at + 1); },
    larger: () => { zoom = Math.min(6, zoom * 1.25); },
    smaller: () => { zoom = Math.max(0.25, zoom / 1.25); },
    fit: () => { zoom = 1; },
    turn: () => { turn = (turn + 90) % 360; },
    save: () => {
      const why = chosen.querySelector("[data-reason]");
      if (why && reason) why.value = reason.value;
      chosen.submit(); // to where it leads without this script: the file itself
    },
  };
  const act = (name) => {
    if (!pages.length) return;
    acts[name]();
    draw();
  };
  viewer.addEventListener("click", (event) => {
    const name = event.target.closest("[data-do]")?.dataset.do;
    if (name) act(name);
  });
  stage.addEventListener("keydown", (event) => {
    const name = { "+": "larger", "=": "larger", "-": "smaller", 0: "fit", r: "turn", R: "turn", PageUp: "previous", PageDown: "next" }[event.key];
    if (!name || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    act(name);
  });
  stage.addEventListener("wheel", (event) => {
    if (!event.ctrlKey || !pages.length) return;
    event.preventDefault();
    act(event.deltaY < 0 ? "larger" : "smaller");
  }, { passive: false });
}
