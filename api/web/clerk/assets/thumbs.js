// The thumbnails of the desk, a block of pages at a time: thousands of them at once would make the page slow.

const perBlock = 200;

// thumbnails fills the element with those of a document; open is called with the page that somebody chose. It gives back
// show, which makes a page the current one, and mark, which shows on which pages seals stand.
export function thumbnails(nav, { document: id, pages, words }, open) {
  const choice = nav.querySelector("select");
  const row = nav.querySelector(".row");
  const blocks = Math.ceil(pages.length / perBlock);
  for (let b = 0; b < blocks; b++) choice.add(new Option(`${b * perBlock + 1}–${Math.min(pages.length, (b + 1) * perBlock)}`, b));
  choice.parentElement.hidden = blocks < 2;
  let block = -1;
  let current = 1;
  let sealed = new Set();

  const thumb = (mm) => Math.round((mm * 20) / 25.4); // some 20 dpi
  const button = (n) => {
    const b = document.createElement("button");
    b.type = "button";
    b.dataset.page = n;
    b.setAttribute("aria-label", words.pageNumber.replace("{n}", n));
    const img = document.createElement("img");
    img.loading = "lazy";
    [img.width, img.height] = pages[n - 1].map(thumb);
    img.src = `/clerk/documents/${id}/pages/${n}?size=small`;
    img.alt = "";
    const number = document.createElement("span");
    number.textContent = n;
    b.append(img, number);
    b.addEventListener("click", () => open(n));
    return b;
  };
  const draw = () => {
    for (const b of row.children) {
      const n = Number(b.dataset.page);
      if (n === current) b.setAttribute("aria-current", "page"); else b.removeAttribute("aria-current");
      b.classList.toggle("sealed", sealed.has(n));
    }
  };
  const fill = (to) => {
    if (to === block) return;
    block = to;
    choice.value = to;
    const last = Math.min(pages.length, (to + 1) * perBlock);
    row.replaceChildren(...Array.from({ length: last - to * perBlock }, (_, i) => button(to * perBlock + 1 + i)));
    draw();
  };
  choice.addEventListener("change", () => fill(Number(choice.value)));
  return {
    show(n) {
      current = n;
      fill(Math.floor((n - 1) / perBlock));
      draw();
      row.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest" });
    },
    mark(pagesWithSeals) {
      sealed = pagesWithSeals;
      draw();
    },
  };
}

const mostSigns = 4096; // that the service reads of one range

// ranges writes pages, in ascending order, as the service reads them: 1-64,70. What is too long for one is several.
export function ranges(list) {
  const all = [""];
  let from = 0;
  for (let i = 0; i < list.length; i++) {
    if (i + 1 < list.length && list[i + 1] === list[i] + 1) continue;
    const part = from === i ? `${list[i]}` : `${list[from]}-${list[i]}`;
    const last = all[all.length - 1];
    if (!last) all[all.length - 1] = part;
    else if (last.length + 1 + part.length <= mostSigns) all[all.length - 1] = `${last},${part}`;
    else all.push(part);
    from = i + 1;
  }
  return all;
}
