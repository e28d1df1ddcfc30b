"""Prompts cut into windows of as many tokens as a text encoder reads at once."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from transformers import PreTrainedTokenizerBase

from brand.emphasis import Chunk, parse_emphasis
from brand.learned_words import learned_word_pattern
from brand.spec import SpecInvalid

_NO_WORDS: Mapping[str, tuple[int, ...]] = {}


@dataclass(frozen=True, kw_only=True)
class Window:
    """The tokens of one reading of the text encoder, without start and end."""

    ids: tuple[int, ...] = ()
    weights: tuple[float, ...] = ()

    @property
    def is_plain(self) -> bool:
        """Whether no token is weighted."""
        return all(weight == 1 for weight in self.weights)


def windows_of(
    tokenizer: PreTrainedTokenizerBase,
    prompt: str,
    words: Mapping[str, tuple[int, ...]] = _NO_WORDS,
) -> list[Window]:
    """The prompt's windows for CLIP, at least one; BREAK starts a new one.

    `words` are read as the tokens they map to, whatever the tokenizer makes of them.
    """
    room = tokenizer.model_max_length - 2
    windows: list[Window] = []
    for chunk in parse_emphasis(prompt):
        ids, weights = _tokens(tokenizer, chunk, words)
        windows += [
            Window(ids=tuple(ids[at : at + room]), weights=tuple(weights[at : at + room]))
            for at in range(0, len(ids), room)
        ]
    return windows or [Window()]


def single_window(tokenizer: PreTrainedTokenizerBase, prompt: str, length: int) -> Window:
    """The prompt's one window for T5, whose end is the only special token; BREAK is a space.

    Raises SpecInvalid for a prompt that is longer than `length` tokens.
    """
    ids: list[int] = []
    weights: list[float] = []
    for chunk in parse_emphasis(prompt):
        more_ids, more_weights = _tokens(tokenizer, chunk, _NO_WORDS)
        ids += more_ids
        weights += more_weights
    if len(ids) >= length:
        raise SpecInvalid(
            f"the prompt has {len(ids)} tokens; this model reads {length - 1} at most"
        )
    return Window(ids=tuple(ids), weights=tuple(weights))


def _tokens(
    tokenizer: PreTrainedTokenizerBase, chunk: Chunk, words: Mapping[str, tuple[int, ...]]
) -> tuple[list[int], list[float]]:
    ids: list[int] = []
    weights: list[float] = []
    for span in chunk:
        for text, known in _parted(span.text, words):
            found = known or tokenizer(text, add_special_tokens=False, verbose=False).input_ids
            ids += found
            weights += [span.weight] * len(found)
    return ids, weights


def _parted(
    text: str, words: Mapping[str, tuple[int, ...]]
) -> Iterator[tuple[str, tuple[int, ...]]]:
    """The text between the words, and each word with its tokens."""
    if not words:
        yield text, ()
        return
    known = {word.casefold(): ids for word, ids in words.items()}
    for part in learned_word_pattern(words).split(text):
        if part.strip():
            yield part, known.get(part.casefold(), ())
