// Shows the state of a task as it changes.

const state = document.getElementById("state");
const events = new EventSource(state.dataset.events);
events.addEventListener("state", (event) => {
  const focus = document.activeElement?.closest("#state") ? document.activeElement.textContent : "";
  // Rendered by the service from its own templates, which escape what people typed.
  state.innerHTML = event.data;
  if (focus) [...state.querySelectorAll("button, a")].find((e) => e.textContent === focus)?.focus();
});
events.addEventListener("end", () => events.close());
