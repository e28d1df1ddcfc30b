"""`template:NAME` and the NAME=value that fill its variables."""

import re

from bot.core.errors import Mistake
from bot.core.grammar_cursor import Cursor, any_of, value_of
from bot.core.grammar_mistakes import mistake, shown, unknown
from bot.core.grammar_text import Token
from bot.core.vocabulary import variable_named
from brand.kit import Template, Variable
from brand.templates import MAX_VALUE
from brand.words import clean

_ASSIGNMENT = re.compile(r"([A-Za-z][A-Za-z0-9_]{0,39})=(.*)", re.DOTALL)
_TEMPLATE = "template:"


class Variables:
    """Reads the template and its variables where the cursor stands."""

    def __init__(self, cursor: Cursor) -> None:
        self._cursor = cursor
        self.template: Template | None = None
        self._template_at: Token | None = None
        self._given: dict[str, str] = {}

    def look_ahead(self) -> None:
        """Find the template: only then is it known which NAME=value are variables."""
        cursor = self._cursor
        for index in range(cursor.first, len(cursor.tokens)):
            if cursor.tail_length(index):
                break
            if self.is_template(index):
                cursor.at = index
                self._take_template()
        cursor.at = cursor.first

    def is_template(self, index: int) -> bool:
        """Whether that token is `template:NAME`."""
        token = self._cursor.tokens[index]
        return not token.quoted and token.text[: len(_TEMPLATE)].casefold() == _TEMPLATE

    def is_variable(self, index: int) -> bool:
        """Whether that token is NAME=value.

        Without a template `e=mc2` is just words, but a name that a template of the kit has,
        spelt exactly so, was surely meant for it.
        """
        token = self._cursor.tokens[index]
        match = None if token.quoted else _ASSIGNMENT.fullmatch(token.text)
        if match is None:
            return False
        return self.template is not None or bool(self._cursor.vocabulary.owner_of(match[1]))

    def is_special(self, index: int) -> bool:
        """Whether that token is anything but a plain word."""
        return (
            self._cursor.is_flag(index)
            or self.is_template(index)
            or self.is_variable(index)
            or self._cursor.tail_length(index) > 0
        )

    def skip_template(self) -> None:
        """Move past the template that the look-ahead has read."""
        self._template_value()
        self._cursor.at += 1

    def take_variable(self) -> None:
        """Read one NAME=value. Raises Mistake."""
        cursor = self._cursor
        token = cursor.token
        cursor.check_closed(token)
        name, _, typed = token.text.partition("=")
        if self.template is None:
            raise self._without_template(name, token)
        variable = variable_named(self.template, name)
        if variable is None:
            raise unknown(
                f"`{shown(name)}` isn't a variable of the template `{self.template.name}`.",
                cursor.typed.position(token.start, token.start + len(name)),
                typed=name.upper(),
                allowed=tuple(item.name for item in self.template.variables),
                field=name,
                none=f'It has none; put the words in quotation marks: "{shown(token.text)}".',
            )
        if variable.name in self._given:
            raise cursor.twice(f"{variable.name}=", token, field=variable.name)
        self._given[variable.name] = self._value(variable, typed, token)

    def finished(self) -> tuple[tuple[str, str], ...]:
        """The (NAME, value) pairs. Raises Mistake if one is missing."""
        if self.template is None:
            return ()
        for item in self.template.variables:
            if not item.default and item.name not in self._given:
                place = self._template_at or self._cursor.tokens[-1]
                listed = f": {any_of(item.values)}" if item.values else ""
                raise mistake(
                    f"The template `{self.template.name}` needs `{item.name}=` too{listed}.",
                    self._cursor.typed.of(place),
                    field=item.name,
                    allowed=item.values,
                )
        return tuple(self._given.items())

    def _template_value(self) -> tuple[str, Token]:
        """The name and the token it stands in: phones put a blank after the colon."""
        cursor = self._cursor
        token = cursor.token
        rest = token.text[len(_TEMPLATE) :]
        if rest or cursor.at + 1 == len(cursor.tokens) or self.is_special(cursor.at + 1):
            return value_of(rest), token
        cursor.at += 1
        return value_of(cursor.token.text), cursor.token

    def _take_template(self) -> None:
        cursor = self._cursor
        first = cursor.token
        if self._template_at is not None:
            raise cursor.twice(_TEMPLATE, first, field="template")
        name, token = self._template_value()
        cursor.check_closed(token)
        found = cursor.vocabulary.template(name)
        if found is None:
            sentence = f"`template:{shown(name)}` isn't a template of {cursor.vocabulary.brand}."
            raise unknown(
                sentence if name else "`template:` needs the name of a template.",
                cursor.typed.of(token),
                typed=name,
                allowed=tuple(item.name for item in cursor.vocabulary.templates),
                field="template",
                none="Its kit has none yet.",
            )
        self.template, self._template_at = found, first

    def _without_template(self, name: str, token: Token) -> Mistake:
        owner = self._cursor.vocabulary.owner_of(name)
        title = owner.name if owner else ""
        return mistake(
            f"`{name}=` needs its template: add `template:{title}`, "
            f'or put the words in quotation marks: "{shown(token.text)}".',
            self._cursor.typed.of(token),
            field="template",
            allowed=tuple(item.name for item in self._cursor.vocabulary.templates),
            meant=title,
        )

    def _value(self, variable: Variable, typed: str, token: Token) -> str:
        if found := self._longest_value(variable, typed):
            return found
        cursor = self._cursor
        cursor.at += 1
        value = clean(value_of(typed))
        position = cursor.typed.position(token.start + len(variable.name) + 1, token.end)
        if not value:
            listed = f": {any_of(variable.values)}" if variable.values else ""
            raise mistake(
                f"`{variable.name}=` needs a value{listed}.",
                position,
                field=variable.name,
                allowed=variable.values,
            )
        if variable.values:
            raise unknown(
                f"`{variable.name}={shown(value)}` isn't a value of that template.",
                position,
                typed=value,
                allowed=variable.values,
                field=variable.name,
            )
        cursor.check_length(value, MAX_VALUE, f"`{variable.name}=`", position)
        return value

    def _longest_value(self, variable: Variable, typed: str) -> str:
        """The longest allowed value that stands here, with its blanks also where nobody quoted
        them; moves past it. Empty if there is none."""
        cursor = self._cursor
        allowed = {clean(item).casefold(): item for item in variable.values}
        most = max((len(item.split()) for item in allowed), default=0)
        parts = [value_of(typed)] if allowed else []
        for index in range(cursor.at + 1, min(cursor.at + most, len(cursor.tokens))):
            if self.is_special(index):
                break
            parts.append(cursor.tokens[index].text)
        for length in range(len(parts), 0, -1):
            found = allowed.get(clean(value_of(" ".join(parts[:length]))).casefold())
            if found is not None:
                cursor.at += length
                return found
        return ""
