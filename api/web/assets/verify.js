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

function hint(message) {
  const line = document.createElement("p");
  line.className = "hint";
  line.textContent = message;
  return line;
}

function tell(message) {
  show([hint(message)]);
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

// send sends a form, or a file in one, to one of the pages' addresses and hands on the fragment that is answered, or nothing.
function send(address, file, progressed, sent, answered) {
  const call = new XMLHttpRequest();
  call.open("POST", address);
  call.setRequestHeader("X-Fragment", "1");
  call.upload.onprogress = (event) => {
    if (event.lengthComputable && event.loaded < event.total) {
      progressed(event.loaded / event.total);
    }
  };
  call.upload.onload = sent;
  call.onload = () => {
    const type = call.getResponseHeader("Content-Type") || "";
    const answer = new DOMParser().parseFromString(call.responseText, "text/html");
    answered(type.startsWith("text/html") && answer.body.children.length > 0 ? answer.body.childNodes : null);
  };
  call.onerror = () => answered(null);
  let body = file;
  if (!(file instanceof FormData)) {
    body = new FormData();
    body.append("file", file);
  }
  call.send(body);
  return call;
}

function verify(file, several) {
  if (request) {
    return;
  }
  if (file.size > Number(say.max)) {
    tell(say.tooLarge);
    return;
  }
  result.replaceChildren();
  verified = null;
  words.textContent = `${say.sending} ${file.name}`;
  bar.value = 0;
  const progressed = (part) => {
    bar.value = part;
    words.textContent = `${say.sending} ${file.name} ${Math.floor(100 * part)} %`;
  };
  const sent = () => {
    bar.removeAttribute("value"); // how long verifying takes is not known
    words.textContent = say.checking;
  };
  request = send(form.action, file, progressed, sent, (nodes) => {
    working(false);
    if (nodes) {
      verified = file;
      show(several ? [hint(say.single), ...nodes] : nodes);
      const follow = result.querySelector("[data-follow]");
      if (follow) {
        location.assign(follow.dataset.follow);
        return;
      }
      for (const again of result.querySelectorAll(".from-file .again")) {
        again.remove(); // the file is at hand here
      }
    } else {
      tell(say.lost);
    }
  });
  request.onabort = () => {
    working(false);
    tell(say.cancelled);
    input.focus();
  };
  working(true);
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

// The versions are drawn by the server, which has kept nothing: the file goes up once more.
function compare(button) {
  const place = button.closest(".seal").querySelector(".versions");
  const file = verified;
  const status = document.createElement("p");
  status.className = "fine";
  status.setAttribute("role", "status");
  status.textContent = say.sending;
  place.replaceChildren(status);
  place.hidden = false;
  button.disabled = true;
  const progressed = (part) => {
    status.textContent = `${say.sending} ${file.name} ${Math.floor(100 * part)} %`;
  };
  const sent = () => {
    status.textContent = say.comparing;
  };
  send(button.formAction, file, progressed, sent, (nodes) => {
    button.disabled = false;
    if (nodes) {
      place.replaceChildren(...nodes);
      place.focus({ preventScroll: true });
    } else {
      status.textContent = say.lost;
    }
  });
}

// The forms of an answer work without this script, too, as far as they go.
result.addEventListener("submit", (event) => {
  const asked = event.target;
  if (asked.matches(".from-file")) {
    if (verified) { // else the answer came with the page, and so does the next
      event.preventDefault();
      (event.submitter.dataset.asSealed ? saveAsSealed : compare)(event.submitter);
    }
    return;
  }
  if (!asked.matches(".at-time")) {
    return;
  }
  // The state of a certificate at another time: its form holds the certificate itself, since the server has kept nothing.
  event.preventDefault();
  const button = asked.querySelector("button");
  button.disabled = true;
  send(asked.action, new FormData(asked), () => {}, () => {}, (nodes) => {
    button.disabled = false;
    if (nodes) {
      show(nodes);
    } else {
      tell(say.lost);
    }
  });
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
  verify(files[0], files.length > 1);
});
