// Suggestions while typing: verbs, templates and their values, flags. The words come once from
// the server; without them the line is typed as ever.

const SHOWN = 8;
// "out" and "high" are words of their own: Enter after them must send the line.
const CLEAR = 5;

export function startSuggestions(form, field) {
  const box = document.getElementById("suggest");
  let words = null;
  let options = [];
  let chosen = -1;
  let token = null;

  let learning = null;

  async function fetched() {
    try {
      const answer = await fetch(form.dataset.words);
      if (answer.ok) words = await answer.json();
    } catch {
      learning = null;
    }
  }

  function learn() {
    learning ??= fetched();
    return learning;
  }

  function close() {
    box.hidden = true;
    options = [];
    chosen = -1;
    field.removeAttribute("aria-activedescendant");
  }

  function choose(index) {
    chosen = (index + options.length) % options.length;
    [...box.children].forEach((item, at) => {
      item.setAttribute("aria-selected", String(at === chosen));
    });
    const item = box.children[chosen];
    item.scrollIntoView({ block: "nearest" });
    field.setAttribute("aria-activedescendant", item.id);
  }

  function show() {
    box.replaceChildren(...options.map((option, at) => {
      const item = document.createElement("li");
      item.id = `suggest-${at}`;
      item.setAttribute("role", "option");
      const code = document.createElement("code");
      code.textContent = option.insert + (option.takes ? ` ${option.takes}` : "");
      const about = document.createElement("span");
      about.textContent = option.about || "";
      item.append(code, about);
      item.addEventListener("mousedown", (event) => {
        event.preventDefault();
        chosen = at;
        accept();
      });
      return item;
    }));
    box.hidden = false;
    choose(0);
  }

  function accept() {
    const option = options[chosen];
    const open = option.insert.endsWith("=") || option.insert.endsWith(":");
    const put = option.insert + (open ? "" : " ");
    field.setRangeText(put, token.start, token.end, "end");
    close();
    field.focus();
    if (open) update();
  }

  async function update() {
    await learn();
    token = tokenAt(field.value, field.selectionStart);
    options = token && words ? matching(words, field.value, token).slice(0, SHOWN) : [];
    if (options.length === 1 && options[0].insert === token.text) options = [];
    if (options.length) show();
    else close();
  }

  field.addEventListener("focus", learn, { once: true });
  field.addEventListener("input", update);
  field.addEventListener("blur", close);

  return {
    // Whether the key was for the list.
    takes(event) {
      if (box.hidden) return false;
      const moves = { ArrowDown: 1, ArrowUp: -1 };
      if (event.key in moves) choose(chosen + moves[event.key]);
      else if (event.key === "Escape") close();
      else if (event.key === "Tab" && !event.shiftKey) accept();
      else if (event.key === "Enter" && !event.shiftKey) accept();
      else return false;
      event.preventDefault();
      return true;
    },
  };
}

function tokenAt(text, caret) {
  const start = text.slice(0, caret).search(/\S*$/);
  const word = text.slice(start, caret);
  const rest = text.slice(caret).match(/^\S*/)[0];
  return rest ? null : { text: word, start, end: caret, before: text.slice(0, start).trimEnd() };
}

function matching(words, text, token) {
  const word = token.text.toLowerCase();
  const starts = (option) => option.insert.toLowerCase().startsWith(word);
  if (!token.before) return word.startsWith("/") ? words.verbs.filter(starts) : [];
  if (!/^\/?imagine\b/i.test(text)) return [];
  const flag = words.flags.find((item) => token.before.endsWith(` ${item.insert}`));
  if (flag?.values.length) return values(flag.values, "", word);
  if (word.startsWith("--")) return words.flags.filter(starts);
  const named = text.match(/\btemplate:(\S+)/i)?.[1];
  const template = words.templates.find((item) => item.insert === `template:${named}`);
  const equals = token.text.indexOf("=");
  if (template && equals > 0) {
    const name = token.text.slice(0, equals + 1);
    const variable = template.variables.find((item) => item.insert === name.toUpperCase());
    return variable ? values(variable.values, name, token.text.slice(equals + 1)) : [];
  }
  if (word.length < 2) return [];
  const free = template ? template.variables.filter((item) => !text.includes(item.insert)) : [];
  const ways = word.length < CLEAR ? [] : words.ways.filter((item) => !said(token, item));
  return [...(template ? [] : words.templates), ...free, ...ways].filter(starts);
}

// Whether the line has this way already, with whatever value.
function said(token, way) {
  return token.before.includes(` ${way.insert.split(":")[0]}:`);
}

function values(all, prefix, typed) {
  const wanted = typed.replace(/^"/, "").toLowerCase();
  return all.filter((value) => value.toLowerCase().startsWith(wanted)).map((value) => ({
    insert: prefix + (/\s/.test(value) ? `"${value}"` : value), about: "",
  }));
}
