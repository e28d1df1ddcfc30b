"""The words after `/imagine`: free words, a template, NAME=value, flags, a `Negative:` tail."""

from typing import Any

from bot.core.commands import Imagine
from bot.core.errors import Mistake
from bot.core.grammar_cursor import Cursor, any_of, joined, value_of
from bot.core.grammar_flags import FLAG_NAMES, Dashed, flag_value, read_dashed
from bot.core.grammar_mistakes import mistake, shown, unknown
from bot.core.grammar_pictures import Attached, place_pictures
from bot.core.grammar_text import Token, Typed
from bot.core.grammar_values import Flag
from bot.core.grammar_variables import Variables
from bot.core.vocabulary import Vocabulary
from brand.templates import MAX_WORDS, Brief
from brand.words import clean


def read_imagine(typed: Typed, first: int, vocabulary: Vocabulary, attached: Attached) -> Imagine:
    """Read the tokens from `first` on; `attached` are the pictures that came along. Raises
    Mistake."""
    return _ImagineReader(Cursor(typed, first, vocabulary), attached).read()


class _ImagineReader:
    """Reads left to right, each token once."""

    def __init__(self, cursor: Cursor, attached: Attached) -> None:
        self._cursor = cursor
        self._attached = attached
        self._variables = Variables(cursor)
        self._words: list[Token] = []
        self._negative: list[str] = []
        self._flags: dict[str, Any] = {}
        self._places: dict[str, Token] = {}

    def read(self) -> Imagine:
        self._variables.look_ahead()
        while self._cursor.more:
            self._next()
        return self._finished()

    def _next(self) -> None:
        cursor = self._cursor
        if cursor.is_flag(cursor.at):
            self._take_flag()
        elif self._variables.is_template(cursor.at):
            self._variables.skip_template()
        elif cursor.tail_length(cursor.at):
            self._take_tail()
        elif self._variables.is_variable(cursor.at):
            self._variables.take_variable()
        else:
            self._words.append(cursor.take())

    # --------------------------------------------------------------------------- flags

    def _take_flag(self) -> None:
        cursor = self._cursor
        token = cursor.token
        dashed = read_dashed(token.text)
        if dashed is None:  # is_flag() has looked already
            raise self._no_flag(token, token.text)
        flag = self._known(token, dashed)
        if flag.name in self._places and not (flag.many or flag.again):
            raise cursor.twice(f"--{flag.name}", token, field=flag.name)
        self._places[flag.name] = cursor.take()
        if flag.many:
            self._take_words(flag, token, dashed)
        else:
            self._take_value(flag, token, dashed)

    def _known(self, token: Token, dashed: Dashed) -> Flag:
        if dashed.flag is None:
            raise self._no_flag(token, dashed.name)
        if not dashed.double:
            raise mistake(
                f"A flag starts with two hyphens: `--{dashed.flag.name}`.",
                self._cursor.typed.of(token),
                field=dashed.flag.name,
                allowed=(f"--{dashed.flag.name}",),
                meant=f"--{dashed.flag.name}",
            )
        return dashed.flag

    def _no_flag(self, token: Token, name: str) -> Mistake:
        return unknown(
            f"`--{shown(name)}` isn't a flag.",
            self._cursor.typed.of(token),
            typed=f"--{name}",
            allowed=tuple(f"--{item}" for item in FLAG_NAMES),
            field=name,
        )

    def _take_value(self, flag: Flag, token: Token, dashed: Dashed) -> None:
        cursor = self._cursor
        if flag.read is None and dashed.inline is None:
            self._flags[flag.name] = True
            return
        text, start = value_of(dashed.inline or ""), token.start + dashed.offset
        if dashed.inline is None and self._follows(flag):
            token = cursor.take()
            text, start = value_of(token.text), token.start
        if not text and flag.optional is None:
            raise self._needs_value(flag, token)
        position = cursor.typed.position(start, token.end)
        value = flag_value(flag, text, position, cursor.vocabulary)
        self._flags[flag.name] = (*self._flags.get(flag.name, ()), value) if flag.again else value

    def _follows(self, flag: Flag) -> bool:
        """Whether the next word is the flag's value."""
        cursor = self._cursor
        if not cursor.more or cursor.is_flag(cursor.at):
            return False
        return flag.optional is None or flag.optional(value_of(cursor.token.text))

    def _take_words(self, flag: Flag, token: Token, dashed: Dashed) -> None:
        """All words up to the next flag, template, variable or tail."""
        cursor = self._cursor
        first = [value_of(dashed.inline)] if dashed.inline else []
        words: list[Token] = []
        while cursor.more and not self._variables.is_special(cursor.at):
            words.append(cursor.take())
        text = clean(" ".join([*first, joined(words)]))
        if not text:
            raise self._needs_value(flag, token)
        self._negative.append(text)

    def _needs_value(self, flag: Flag, token: Token) -> Mistake:
        vocabulary = self._cursor.vocabulary
        choices = {
            "ar": vocabulary.aspects,
            "sampler": vocabulary.samplers,
            "lora": tuple(dict.fromkeys(item.name for item in vocabulary.loras)),
            "channel": tuple(item.name for item in vocabulary.channels),
            "control": vocabulary.controls,
            "recipe": vocabulary.recipes,
        }.get(flag.name, ())
        listed = f": {any_of(choices)}" if choices else f", as in `--{flag.name} {flag.takes}`"
        return mistake(
            f"`--{flag.name}` needs a value{listed}.",
            self._cursor.typed.of(token),
            field=flag.name,
            allowed=choices,
        )

    # ---------------------------------------------------------------------------- tail

    def _take_tail(self) -> None:
        """Everything to the end. Flags stay flags: nobody wants `--ar 1:1` left out."""
        cursor = self._cursor
        cursor.at += cursor.tail_length(cursor.at)
        first = cursor.tokens[cursor.at - 1].text.partition(":")[2]
        words: list[Token] = []
        while cursor.more:
            if cursor.is_flag(cursor.at):
                self._take_flag()
            else:
                words.append(cursor.take())
        if text := clean(f"{first} {joined(words)}"):
            self._negative.append(text)

    # ------------------------------------------------------------------------- the end

    def _finished(self) -> Imagine:
        flags = self._placed()
        self._check_reference(flags)
        template = self._variables.template
        lora, lora_weight = flags.get("lora", ("", None))
        like, like_weight = flags.get("like", ("", None))
        highres, highres_strength, highres_steps = flags.get("highres", (None, None, None))
        brief = Brief(
            words=self._free_words(),
            template=template.name if template else "",
            variables=self._variables.finished(),
            negative=self._all_negative(),
            aspect=flags.get("ar", ""),
            n=flags.get("n", self._cursor.vocabulary.count),
            seed=flags.get("seed"),
            steps=flags.get("steps"),
            cfg=flags.get("cfg"),
            sampler=flags.get("sampler", ""),
            strength=flags.get("strength"),
            lora=lora,
            lora_weight=lora_weight,
            private=flags.get("private", False),
            reference=flags.get("ref", ""),
            fresh=flags.get("fresh", False),
            mask=flags.get("mask", ""),
            invert=flags.get("invert", False),
            outpaint=flags.get("outpaint"),
            controls=flags.get("control", ()),
            like=like,
            like_weight=like_weight,
            highres=highres,
            highres_strength=highres_strength,
            highres_steps=highres_steps,
            recipe=flags.get("recipe", ""),
            stylize=flags.get("stylize"),
            image_weight=flags.get("iw"),
            tile=flags.get("tile", False),
        )
        return Imagine(brief=brief, brand=flags.get("brand", ""), target=flags.get("channel"))

    def _free_words(self) -> str:
        text = clean(joined(self._words))
        typed = self._cursor.typed
        end = len(typed.seen)
        if not text and self._variables.template is None:
            raise mistake(
                "Say what the picture shows, as in `/imagine a red mug on a wooden table`.",
                typed.position(end, end),
                field="words",
            )
        start = self._words[0].start if self._words else end
        self._cursor.check_length(text, MAX_WORDS, "Words", typed.position(start, end))
        return text

    def _all_negative(self) -> str:
        text = ", ".join(part.strip(" ,") for part in self._negative)
        end = len(self._cursor.typed.seen)
        self._cursor.check_length(
            text, MAX_WORDS, "Negative", self._cursor.typed.position(end, end)
        )
        return text

    def _placed(self) -> dict[str, Any]:
        """The flags with the pictures that came along."""
        typed = self._cursor.typed
        wants = next((self._places[n] for n in ("ref", *_WANT) if n in self._places), None)
        end = len(typed.seen)
        position = typed.of(wants) if wants else typed.position(end, end)
        return place_pictures(self._flags, self._attached, position)

    def _check_reference(self, flags: dict[str, Any]) -> None:
        if flags.get("invert") and not flags.get("mask"):
            raise mistake(
                "`--invert` turns a mask round, and there is none: attach one, or add `--mask ID`.",
                self._cursor.typed.of(self._places["invert"]),
                field="invert",
            )
        self._check_once("strength", "iw", "Both say how much the reference counts")
        if flags.get("lora", ("", None))[1] is not None or ":" in flags.get("lora", ("",))[0]:
            self._check_once("lora", "stylize", "Both say how strongly the look shows")
        if flags["ref"]:
            return
        for name, says in _OF_A_REFERENCE.items():
            if name in self._places and not (name == "mask" and "recipe" in flags):
                raise mistake(
                    f"`--{name}` says {says}, and there is none: attach one, or add `--ref ID`.",
                    self._cursor.typed.of(self._places[name]),
                    field=name,
                )

    def _check_once(self, one: str, other: str, why: str) -> None:
        """Raises Mistake where both were said."""
        if one in self._places and other in self._places:
            raise mistake(
                f"{why}: leave `--{one}` or `--{other}` out.",
                self._cursor.typed.of(self._places[other]),
                field=other,
            )


_WANT = ("mask", "control", "like")
_OF_A_REFERENCE = {
    "strength": "how far a reference picture is left",
    "iw": "how much a reference picture counts",
    "mask": "where a reference picture is painted anew",
    "outpaint": "how far a reference picture goes on over its edges",
}
