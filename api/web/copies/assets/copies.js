// The address in a QR code ends with '#' and the code: it is taken into the form and looked up.

const form = document.getElementById("look");
const code = decodeURIComponent(location.hash.slice(1));

if (code && !form.elements.code.value) {
  history.replaceState(null, "", location.pathname + location.search);
  form.elements.code.value = code;
  form.requestSubmit();
}
