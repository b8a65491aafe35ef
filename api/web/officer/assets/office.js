// Squared paper at true size, forms whose answer is a file (the page stays, so they may be sent again), and secrets.

for (const paper of document.querySelectorAll("[data-squared]")) {
  const width = Number(paper.dataset.width);
  const height = Number(paper.dataset.height);
  const picture = paper.querySelector("img");
  const show = (scale) => {
    paper.style.setProperty("--mm", `${scale}mm`);
    picture.style.width = `${width * scale}mm`;
    picture.style.height = `${height * scale}mm`;
    for (const old of paper.querySelectorAll(".mark")) old.remove();
    // The ruler counts from the edge of the template, which lies ten millimetres inside.
    const mark = (text, left, top) => {
      const m = document.createElement("span");
      m.className = "mark";
      m.setAttribute("aria-hidden", "true");
      m.textContent = text;
      m.style.left = `${left * scale}mm`;
      m.style.top = `${top * scale}mm`;
      paper.append(m);
    };
    for (let at = 0; at <= width; at += 10) mark(`${at}`, at + 10, 0.5);
    for (let at = 10; at <= height; at += 10) mark(`${at}`, 0.5, at + 10);
    mark("mm", 0.5, 0.5);
  };
  show(1);
  paper.closest("section")?.querySelector("[data-scale]")?.addEventListener("change", (event) => show(Number(event.target.value)));
}

for (const picture of document.querySelectorAll(".sources img")) picture.style.width = `${Number(picture.dataset.width)}mm`;

document.addEventListener("submit", (event) => {
  if (!event.target.hasAttribute("data-download")) return;
  const form = event.target;
  setTimeout(() => { delete form.dataset.sent; form.removeAttribute("aria-busy"); }, 1500);
});

// Another row for a remark whenever the last one is written into.
for (const rows of document.querySelectorAll("[data-rows]")) {
  rows.addEventListener("input", () => {
    const all = rows.querySelectorAll(".remark");
    const last = all[all.length - 1];
    if (all.length < 100 && last.querySelector("input").value) {
      const more = last.cloneNode(true);
      more.querySelector("input").value = "";
      rows.append(more);
    }
  });
}

// A secret that is shown once does not come back from the browser's history.
if (document.querySelector("[data-secret]")) {
  window.addEventListener("pagehide", () => {
    for (const secret of document.querySelectorAll("[data-secret]")) secret.textContent = "";
  });
}
