"""Pages as a browser with scripts off sees them: their words, their links, their forms."""

from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = {"area", "br", "hr", "img", "input", "link", "meta", "use", "rect", "circle", "path"}

BLOCKS = {"td", "th", "li", "p", "div", "dt", "dd", "h1", "h2", "h3", "a", "button", "option"}


@dataclass
class Form:
    """A form: where it goes, what it sends, which buttons it has (label to their name, value)."""

    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)
    buttons: dict[str, tuple[str, str]] = field(default_factory=dict)

    def data(self, button: str = "", **typed: str) -> dict[str, str]:
        """What pressing that button sends, with these fields filled in."""
        unknown = typed.keys() - self.fields.keys()
        assert not unknown, f"the form has no field {unknown}"
        name, value = self.buttons[button] if button else ("", "")
        return self.fields | typed | ({name: value} if name else {})


class Page(HTMLParser):
    """Reads a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.links: dict[str, str] = {}
        """Label to address."""
        self.images: list[dict[str, str]] = []
        self.inline: list[str] = []
        """Inline styles, scripts and handlers, which the content policy forbids."""
        self.ids: list[str] = []
        self._form: Form | None = None
        self._text: list[str] = []
        self._open: list[tuple[str, dict[str, str], int]] = []
        self.feed(html)
        self.text = " ".join("".join(self._text).split())

    def form(self, button: str) -> Form:
        """The first form with a button of this label."""
        return next(form for form in self.forms if button in form.buttons)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """A tag opens."""
        given = {name: value or "" for name, value in attrs}
        self._note(tag, given)
        if tag == "form":
            self._form = Form(action=given["action"], method=given.get("method", "get"))
            self.forms.append(self._form)
        elif tag == "input" and self._form and given.get("type") not in ("file", "checkbox"):
            self._form.fields[given["name"]] = given.get("value", "")
        elif tag == "img":
            self.images.append(given)
        if tag not in VOID:
            self._open.append((tag, given, len(self._text)))

    def _note(self, tag: str, given: dict[str, str]) -> None:
        self.ids += [given["id"]] if "id" in given else []
        self.inline += [f"{tag} {name}" for name in given if name == "style" or name[:2] == "on"]
        if tag == "style" or (tag == "script" and "src" not in given):
            self.inline.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """A tag opens and closes: nothing of ours that matters here."""
        self._note(tag, {name: value or "" for name, value in attrs})

    def handle_endtag(self, tag: str) -> None:
        """A tag closes."""
        if tag in BLOCKS:
            self._text.append(" ")
        while self._open:
            name, given, start = self._open.pop()
            if name == tag:
                self._close(tag, given, " ".join("".join(self._text[start:]).split()))
                break

    def _close(self, tag: str, given: dict[str, str], text: str) -> None:
        if tag == "a":
            self.links.setdefault(text, given.get("href", ""))
        elif tag == "button" and self._form:
            label = given.get("title") or text
            self._form.buttons.setdefault(
                text or label, (given.get("name", ""), given.get("value", ""))
            )
        elif tag == "textarea" and self._form:
            self._form.fields[given["name"]] = text
        elif tag == "form":
            self._form = None

    def handle_data(self, data: str) -> None:
        """Words."""
        if not self._open or self._open[-1][0] not in ("script", "style", "title"):
            self._text.append(data)
