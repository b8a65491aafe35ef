// Makes the form of the page pleasant: drop a file, see it go up, cancel, read the verdict in place. Without this
// script the form still works, by its button.

const form = document.getElementById("verify");
const drop = document.getElementById("drop");
const input = document.getElementById("file");
const progress = document.getElementById("progress");
const words = document.getElementById("progress-words");
const bar = document.getElementById("bar");
const result = document.getElementById("result");
const say = form.dataset;

let request = null;
let verified = null; // the file that the verdict on the page is about; the server has kept nothing of it

form.classList.add("scripted");

function show(node) {
  result.replaceChildren(...node);
  result.focus({ preventScroll: true });
  result.scrollIntoView({ block: "start", behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
}

function tell(message) {
  const hint = document.createElement("p");
  hint.className = "hint";
  hint.textContent = message;
  show([hint]);
}

function working(on) {
  drop.hidden = on;
  progress.hidden = !on;
  if (on) {
    document.getElementById("cancel").focus();
  } else {
    request = null;
    input.value = "";
  }
}

function verify(file) {
  if (request) {
    return;
  }
  if (file.size > Number(say.max)) {
    tell(say.tooLarge);
    return;
  }
  result.replaceChildren();
  verified = null;
  request = new XMLHttpRequest();
  request.open("POST", form.action);
  request.setRequestHeader("X-Fragment", "1");
  request.upload.onprogress = (event) => {
    if (event.lengthComputable && event.loaded < event.total) {
      bar.value = event.loaded / event.total;
      words.textContent = `${say.sending} ${file.name} ${Math.floor((100 * event.loaded) / event.total)} %`;
    }
  };
  request.upload.onload = () => {
    bar.removeAttribute("value"); // how long verifying takes is not known
    words.textContent = say.checking;
  };
  request.onload = () => {
    const type = request.getResponseHeader("Content-Type") || "";
    const answer = new DOMParser().parseFromString(request.responseText, "text/html");
    working(false);
    if (type.startsWith("text/html") && answer.body.children.length > 0) {
      verified = file;
      show(answer.body.childNodes);
      for (const actions of result.querySelectorAll(".from-file")) {
        actions.hidden = false;
      }
    } else {
      tell(say.lost);
    }
  };
  request.onerror = () => {
    working(false);
    tell(say.lost);
  };
  request.onabort = () => {
    working(false);
    tell(say.cancelled);
    input.focus();
  };
  words.textContent = `${say.sending} ${file.name}`;
  bar.value = 0;
  working(true);
  const body = new FormData();
  body.append("file", file);
  request.send(body);
}

// The document as it was sealed is the beginning of the file, as long as the server said.
async function saveAsSealed(button) {
  try {
    await verified.slice(0, 1).arrayBuffer(); // fails when the file is no longer what it was
  } catch {
    tell(say.gone);
    return;
  }
  const link = document.createElement("a");
  link.href = URL.createObjectURL(verified.slice(0, Number(button.dataset.asSealed), "application/pdf"));
  link.download = button.dataset.name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000); // the browser reads it meanwhile
}

result.addEventListener("click", (event) => {
  const button = event.target.closest("[data-as-sealed]");
  if (button && verified) {
    saveAsSealed(button);
  }
});

input.addEventListener("change", () => {
  if (input.files.length > 0) {
    verify(input.files[0]);
  }
});

form.addEventListener("submit", (event) => {
  event.preventDefault();
  if (input.files.length > 0) {
    verify(input.files[0]);
  }
});

document.getElementById("cancel").addEventListener("click", () => request && request.abort());

// A file that misses the drop zone must not replace the page.
let depth = 0;
addEventListener("dragenter", (event) => {
  event.preventDefault();
  depth += 1;
  drop.classList.add("over");
});
addEventListener("dragleave", () => {
  depth = Math.max(0, depth - 1);
  drop.classList.toggle("over", depth > 0);
});
addEventListener("dragover", (event) => event.preventDefault());
addEventListener("drop", (event) => {
  event.preventDefault();
  depth = 0;
  drop.classList.remove("over");
  const files = event.dataTransfer ? event.dataTransfer.files : [];
  if (files.length === 0) {
    tell(say.notAFile);
    return;
  }
  verify(files[0]);
});
