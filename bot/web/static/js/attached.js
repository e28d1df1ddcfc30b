// The pictures that come with a line: each shows by its name and can be left out again.

import { toast } from "./fragments.js";

const MAX_BYTES = 20_000_000;

export function startAttached(form, field) {
  const inputs = [...form.querySelectorAll("input[type=file]")];
  const more = form.querySelector(".more-pictures");

  function show() {
    for (const input of inputs) {
      const name = input.files[0]?.name || "";
      const said = form.querySelector(`[data-attached="${input.name}"]`);
      if (said) said.textContent = name;
      form.querySelector(`[data-leave-out="${input.name}"]`).hidden = !name;
    }
    if (!more) return;
    const count = inputs.filter((input) => more.contains(input) && input.files.length).length;
    more.querySelector("[data-chosen]").textContent = count ? `${count} chosen` : "";
  }

  function leaveOut(input) {
    input.value = "";
    show();
    input.focus();
  }

  // Said at once, not after everything has been sent.
  async function check(input) {
    const file = input.files[0];
    const problem = file && await problemOf(file);
    if (!problem || input.files[0] !== file) return;
    toast(`${file.name} can't be used: ${problem}`);
    leaveOut(input);
  }

  form.addEventListener("change", (event) => {
    if (event.target.type !== "file") return;
    show();
    check(event.target);
  });
  form.addEventListener("click", (event) => {
    const button = event.target.closest("[data-leave-out]");
    if (!button) return;
    event.preventDefault();
    const input = inputs.find((item) => item.name === button.dataset.leaveOut);
    if (input) leaveOut(input);
    else leaveReferenceOut(button, field);
  });
  field.addEventListener("paste", (event) => {
    const pasted = [...event.clipboardData.files].find((item) => item.type.startsWith("image/"));
    if (!pasted) return;
    event.preventDefault();
    const one = new DataTransfer();
    one.items.add(pasted);
    inputs[0].files = one.files;
    show();
  });
  show();

  return {
    any: () => inputs.some((input) => input.files.length),
    clear() {
      for (const input of inputs) input.value = "";
      if (more) more.open = false;
      document.getElementById("reference")?.remove();
      show();
    },
  };
}

async function problemOf(file) {
  if (file.size > MAX_BYTES) return "it is larger than 20 MB.";
  try {
    (await createImageBitmap(file)).close();
    return "";
  } catch {
    return "it isn't a PNG, JPEG or WebP picture.";
  }
}

// What has been typed stays, which a new page would lose.
function leaveReferenceOut(link, field) {
  history.replaceState(null, "", link.href);
  link.closest("#reference").remove();
  field.focus();
}
