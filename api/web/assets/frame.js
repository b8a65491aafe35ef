// What every page for people who sign in does: forms are sent once, and steps that cannot be undone are asked about.

document.addEventListener("submit", (event) => {
  const form = event.target;
  const question = event.submitter?.dataset.confirm ?? form.dataset.confirm;
  if (question && !window.confirm(question)) {
    event.preventDefault();
    return;
  }
  if (form.method === "get" || event.defaultPrevented) return;
  if (form.dataset.sent) {
    event.preventDefault();
    return;
  }
  form.dataset.sent = "1";
  form.setAttribute("aria-busy", "true");
});

// What opened in the menu closes when one goes on elsewhere.
const opened = () => document.querySelector(".menu details[open]");
for (const kind of ["click", "focusin"]) {
  document.addEventListener(kind, (event) => {
    const menu = opened();
    if (menu && !menu.contains(event.target)) menu.open = false;
  });
}
document.addEventListener("keydown", (event) => {
  const menu = opened();
  if (event.key !== "Escape" || !menu) return;
  menu.open = false;
  menu.querySelector("summary").focus();
});

// A page that comes back from the browser's history may be sent again.
window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
});
