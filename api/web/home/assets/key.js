// Follows a login by USB Key, and goes on when the Key has confirmed it.

const state = document.getElementById("state");
const pause = 1500;
let before = "";

async function look() {
  try {
    const answer = await fetch(state.dataset.state, { cache: "no-store" });
    const text = answer.ok ? await answer.text() : before;
    if (text !== before) {
      before = text;
      const focus = document.activeElement?.closest("#state") ? document.activeElement.textContent : "";
      // Rendered by the service from its own templates, which escape what people typed.
      state.innerHTML = text;
      if (focus) [...state.querySelectorAll("button, a")].find((e) => e.textContent === focus)?.focus();
    }
    const signed = state.querySelector("form[data-signed]");
    if (signed) {
      signed.requestSubmit();
      return;
    }
  } catch {
    // It may be reached again the next time, and the button works without this.
  }
  setTimeout(look, pause);
}

if (state) look();
