// Sends the chosen files with progress; without script the form sends them itself.

const form = document.getElementById("upload");
const input = form.querySelector("input[type=file]");
const going = document.getElementById("going");
const words = document.getElementById("going-words");
const bar = document.getElementById("bar");
const say = form.dataset;

input.addEventListener("change", () => {
  const list = document.getElementById("chosen");
  list.replaceChildren();
  if (input.files.length < 2) return;
  for (const file of input.files) {
    const item = document.createElement("li");
    item.textContent = file.name;
    list.append(item);
  }
});

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const total = [...input.files].reduce((sum, file) => sum + file.size, 0);
  delete form.dataset.sent;
  if (total > Number(say.max)) {
    stop(say.tooLarge);
    return;
  }
  const request = new XMLHttpRequest();
  request.open("POST", form.action);
  request.responseType = "document";
  request.upload.addEventListener("progress", (e) => {
    bar.value = e.total ? e.loaded / e.total : 0;
    words.textContent = e.loaded === e.total ? say.working : `${say.sending} ${Math.round(bar.value * 100)} %`;
  });
  request.addEventListener("load", () => {
    if (request.responseURL && new URL(request.responseURL).pathname !== "/clerk/new") {
      location.assign(request.responseURL);
      return;
    }
    const problem = request.response?.querySelector(".notice.bad p");
    stop(problem ? problem.textContent : say.lost);
  });
  request.addEventListener("error", () => stop(say.lost));
  request.addEventListener("abort", () => stop(say.cancelled));
  document.getElementById("cancel").onclick = () => request.abort();
  going.hidden = false;
  document.getElementById("cancel").hidden = false;
  bar.hidden = false;
  bar.value = 0;
  words.textContent = say.sending;
  request.send(new FormData(form));
});

function stop(sentence) {
  going.hidden = false;
  bar.hidden = true;
  document.getElementById("cancel").hidden = true;
  words.textContent = sentence;
}
