// Shows the state of the task for a USB Key as it changes.

const state = document.getElementById("state");
if (state) {
  const events = new EventSource(state.dataset.events);
  // Rendered by the service from its own templates, which escape what people typed.
  events.addEventListener("state", (event) => { state.innerHTML = event.data; });
  events.addEventListener("end", () => events.close());
}
