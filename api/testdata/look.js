// What a walk looks at on a page: lists of complaints by kind, and where its links lead. "data" are the texts of which
// people are the authors; they stand on the pages of both languages as they were written.
((data) => {
  const said = { han: [], empty: [], wide: [], label: [], table: [], contrast: [], focus: [], pointer: [], odd: [], links: [] };
  const shown = (e) => e.checkVisibility({ opacityProperty: false, visibilityProperty: true }) && !e.closest(".hidden, .skip");
  const path = (e) => {
    const name = (n) => n.tagName.toLowerCase() + (n.id ? "#" + n.id : "") + [...n.classList].map((c) => "." + c).join("") + (n.getAttribute("name") ? `[name=${n.getAttribute("name")}]` : "");
    return (e.parentElement ? name(e.parentElement) + " > " : "") + name(e);
  };

  // Han characters and full-width punctuation, with the text around them.
  const signs = /[\u3000-\u303f\u3400-\u9fff\uff00-\uffef]/;
  const han = { test: (text) => signs.test(data.reduce((rest, known) => (known.length > 2 ? rest.replaceAll(known, "") : rest === known ? "" : rest), text)) };
  const walker = document.createTreeWalker(document.documentElement, NodeFilter.SHOW_TEXT);
  const texts = [];
  while (walker.nextNode()) {
    const e = walker.currentNode.parentElement;
    const text = walker.currentNode.textContent.trim();
    if (!text || ["SCRIPT", "STYLE"].includes(e.tagName)) {
      continue;
    }
    texts.push([e, text]);
    if (han.test(text) && !e.closest("[lang=zh-CN]")) {
      said.han.push(`${path(e)}: ${text}`);
    }
    if (/ZgotmplZ|%!|<no value>|\bmap\[|\bundefined\b|\bNaN\b/.test(text) || (/^[a-z]{2,14}(_[a-z]{2,14})+$/.test(text) && !e.closest(".code, .fine, code, pre"))) {
      said.odd.push(`${path(e)}: ${text}`);
    }
  }
  for (const e of document.querySelectorAll("[title], [alt], [placeholder], [aria-label], input[value]:not([type=hidden])")) {
    for (const a of ["title", "alt", "placeholder", "aria-label"]) {
      const value = e.getAttribute(a) || "";
      if (han.test(value) && !e.closest("[lang=zh-CN]")) {
        said.han.push(`${path(e)} ${a}: ${value}`);
      }
    }
  }
  for (const e of document.querySelectorAll("*")) {
    for (const [key, value] of Object.entries(e.dataset || {})) {
      if (han.test(value) && !e.closest("[lang=zh-CN]")) {
        said.han.push(`${path(e)} data-${key}: ${value}`);
      }
    }
  }

  const name = (e) => {
    const by = e.getAttribute("aria-labelledby");
    return (e.getAttribute("aria-label") || (by && by.split(" ").map((id) => document.getElementById(id)?.textContent).join(" ")) || e.textContent || e.querySelector("img")?.alt || e.value || e.title || "").trim();
  };
  for (const e of document.querySelectorAll("title, h1, h2, h3, h4, th[scope], dt, label, legend, summary, button, a[href], option, caption, figcaption, .badge, .notice, .lead")) {
    if (!name(e) && !(e.matches("option") && !e.value)) {
      said.empty.push(path(e));
    }
  }
  for (const e of document.querySelectorAll("img:not([alt]), svg:not([aria-hidden], [role=img], [aria-label])")) {
    said.empty.push(`${path(e)}: no text instead of the picture`);
  }

  const over = document.documentElement.scrollWidth - innerWidth;
  if (over > 0) {
    said.wide.push(`${over} px beyond the window`);
  }
  for (const e of document.querySelectorAll("main *, header *")) {
    const style = getComputedStyle(e);
    if (e.clientWidth > 0 && e.scrollWidth > e.clientWidth + 2 && shown(e) && !/^(SELECT|INPUT|TEXTAREA|OPTION|SUMMARY)$/.test(e.tagName) && style.display !== "inline" && !["auto", "scroll"].includes(style.overflowX) && style.textOverflow !== "ellipsis") {
      said.wide.push(`${path(e)}: ${e.scrollWidth - e.clientWidth} px beyond its box`);
    }
  }

  for (const e of document.querySelectorAll("input:not([type=hidden], [type=submit]), select, textarea")) {
    const labels = [...(e.labels || [])].map((l) => [...l.childNodes].filter((n) => n !== e && !(n.matches && n.matches("input, select, textarea, .fine"))).map((n) => n.textContent).join("").trim()).join("");
    if (!labels && !e.getAttribute("aria-label") && !(e.getAttribute("aria-labelledby") && name(e))) {
      said.label.push(path(e));
    }
  }
  for (const e of document.querySelectorAll("table")) {
    if (!e.caption && !e.getAttribute("aria-label") && !e.getAttribute("aria-labelledby")) {
      said.table.push(path(e));
    }
  }

  // The contrast of text with what is behind it, after WCAG 2: colours with alpha are laid over each other.
  const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const rgba = (text) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = text;
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
  };
  const over2 = (top, below) => top.slice(0, 3).map((v, i) => v * top[3] + below[i] * (1 - top[3])).concat(1);
  const ground = (e) => {
    const stack = [];
    for (let n = e; n; n = n.parentElement) {
      const c = rgba(getComputedStyle(n).backgroundColor);
      if (c[3] > 0) {
        stack.push(c);
      }
      if (c[3] === 1) {
        break;
      }
    }
    return stack.reverse().reduce((below, top) => over2(top, below), [255, 255, 255, 1]);
  };
  const light = (c) => c.slice(0, 3).map((v) => v / 255).map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)).reduce((s, v, i) => s + v * [0.2126, 0.7152, 0.0722][i], 0);
  const seen = new Set();
  for (const [e, text] of texts) {
    if (!shown(e) || e.closest(":disabled, option, title, head")) {
      continue;
    }
    let faint = 1;
    for (let n = e; n; n = n.parentElement) {
      faint *= Number(getComputedStyle(n).opacity);
    }
    const below = ground(e);
    const c = rgba(getComputedStyle(e).color);
    const ink = over2([c[0], c[1], c[2], c[3] * faint], below);
    const [a, b] = [light(ink), light(below)].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < 4.5 && !seen.has(path(e))) {
      seen.add(path(e));
      said.contrast.push(`${path(e)}: ${ratio.toFixed(2)} ${text.slice(0, 30)}`);
    }
  }

  // Whoever has the focus shows it by an outline; what is out of sight, as the field of the drop zone, by one around it. The
  // walk pressed a key before, so that the browser takes what is focused here for reached by keys.
  const reach = [...document.querySelectorAll("a[href], button:not(:disabled), input:not([type=hidden], :disabled), select:not(:disabled), textarea:not(:disabled), summary, [tabindex]")].filter(shown);
  const outlined = (e) => getComputedStyle(e).outlineStyle !== "none" && parseFloat(getComputedStyle(e).outlineWidth) >= 1;
  const marked = (e) => outlined(e) || (e.clientWidth <= 1 && [...e.labels].some(outlined));
  for (const e of reach) {
    if (e.tabIndex < 0) {
      if (e.matches("a[href], button, input, select, textarea, summary") && !e.matches("[type=radio]")) {
        said.focus.push(`${path(e)}: out of reach of the keyboard`);
      }
      continue;
    }
    if (e.tabIndex > 0) {
      said.focus.push(`${path(e)}: before its turn`);
    }
    if (!e.checkVisibility()) {
      continue;
    }
    e.focus({ preventScroll: true });
    if (document.activeElement !== e || !marked(e)) {
      said.focus.push(`${path(e)}: focus cannot be seen`);
    }
  }
  document.activeElement?.blur?.();
  for (const e of document.querySelectorAll("main *, header *")) {
    if (shown(e) && getComputedStyle(e).cursor === "pointer" && !e.closest("a, button, label, summary, select, input, option, [tabindex]")) {
      said.pointer.push(path(e));
    }
  }
  said.links = [...new Set([...document.querySelectorAll("a[href]")].filter((a) => a.origin === location.origin && !a.hasAttribute("download")).map((a) => a.pathname + a.search))];
  return said;
})
