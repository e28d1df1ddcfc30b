"""What can go wrong in the brand's room. Rendering errors live beside the recipe in `spec.py`.

BrandError
├── PromptTooLong       a prompt is longer than the grammar reads
├── KitInvalid          a brand kit has mistakes; `problems` lists every one with file and line
├── BriefRefused        what a person asked for does not fit the kit; nothing was queued
│   ├── UnknownChoice   a template, variable, value, sampler ... that the kit does not have
│   ├── OutOfRange      a number outside the kit's limits
│   ├── MissingValue    a template variable without a value, or no words at all
│   └── BannedWord      a word that the kit bans; names the rule, its owner and an alternative
├── LoraMoveRefused     a LoRA version cannot go from this status to that one
├── PictureRefused      bytes that are not an acceptable picture
│   ├── NotAPicture     neither PNG, JPEG nor WebP
│   ├── PictureTooLarge more bytes or pixels than allowed
│   └── PictureDamaged  the file breaks off or its contents are wrong
└── LabelUnreadable     a picture's label is there but cannot be read
"""

from dataclasses import dataclass
from pathlib import Path


class BrandError(Exception):
    """The brand's rules refuse this; the message says why and what to do."""

    code = "brand_error"


class PromptTooLong(BrandError):
    """The prompt is longer than the grammar reads; shorten it."""

    code = "prompt_too_long"


@dataclass(frozen=True, kw_only=True)
class KitProblem:
    """One mistake in a kit's file; `line` and `column` count from 1."""

    path: Path
    line: int
    message: str
    fix: str
    column: int = 1
    severity: str = "error"
    """`error` keeps the kit from loading; `warning` does not."""

    def __str__(self) -> str:
        where = f"{self.path}:{self.line}:{self.column}"
        return f"{where}: {self.severity}: {self.message}" + (f" {self.fix}" if self.fix else "")


class KitInvalid(BrandError):
    """The brand kit has mistakes; correct the lines named, then run `housestyle brand lint`."""

    code = "kit_invalid"

    def __init__(self, problems: tuple[KitProblem, ...]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems


class BriefRefused(BrandError):
    """The brief does not fit the kit; nothing was queued. Change what the message names."""

    code = "brief_refused"

    def __init__(
        self, message: str, *, field: str, value: str = "", allowed: tuple[str, ...] = ()
    ) -> None:
        super().__init__(message)
        self.field = field
        self.value = value
        self.allowed = allowed


class UnknownChoice(BriefRefused):
    """The kit has no such template, variable, value, sampler, aspect or LoRA."""

    code = "unknown_choice"

    def __init__(
        self,
        message: str,
        *,
        field: str,
        value: str,
        allowed: tuple[str, ...],
        suggestion: str = "",
    ) -> None:
        super().__init__(message, field=field, value=value, allowed=allowed)
        self.suggestion = suggestion


class OutOfRange(BriefRefused):
    """The number lies outside the limits that the message names."""

    code = "out_of_range"


class MissingValue(BriefRefused):
    """Something needed was left out; the message names it and what may stand there."""

    code = "missing_value"


class BannedWord(BriefRefused):
    """The kit bans this word; use the alternative, or ask the rule's owner to change it."""

    code = "banned_word"

    def __init__(
        self, message: str, *, field: str, word: str, rule: int, owner: str, alternative: str
    ) -> None:
        super().__init__(message, field=field, value=word)
        self.word = word
        self.rule = rule
        self.owner = owner
        self.alternative = alternative


class LoraMoveRefused(BrandError):
    """A LoRA version cannot take this step; the message names the steps it can take."""

    code = "lora_move_refused"


class PictureRefused(BrandError):
    """These bytes are not an acceptable picture; send a PNG, JPEG or WebP."""

    code = "picture_refused"


class NotAPicture(PictureRefused):
    """The file is neither PNG, JPEG nor WebP; convert it and send it again."""

    code = "not_a_picture"


class PictureTooLarge(PictureRefused):
    """The picture has more bytes or pixels than allowed; scale it down and send it again."""

    code = "picture_too_large"


class PictureDamaged(PictureRefused):
    """The picture's file is damaged; export it again from where it was made."""

    code = "picture_damaged"


class LabelUnreadable(BrandError):
    """The picture carries a label that cannot be read; compare its hash with the archive."""

    code = "label_unreadable"
