// The pictures that come with a line: each shows by its name and can be left out again.

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

  form.addEventListener("change", (event) => { if (event.target.type === "file") show(); });
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

// What has been typed stays, which a new page would lose.
function leaveReferenceOut(link, field) {
  history.replaceState(null, "", link.href);
  link.closest("#reference").remove();
  field.focus();
}
