"""The demo model's own byte-pair tokenizer, learnt from the captions of the drawn pictures.

Byte-pair encoding after Sennrich et al. (2016), with CLIP's `</w>` at the end of each word.
"""

import re
from collections import Counter
from itertools import pairwise

import numpy as np
from transformers import CLIPTokenizer

from generation.illustrator.captions import full_caption
from generation.illustrator.scene import random_scene

CONTEXT = 32
"""Tokens of a prompt, beginning and end included."""
START, END = "<|startoftext|>", "<|endoftext|>"
_WORD_END = "</w>"
_CORPUS = 6000
_MERGES = 700
# Words that people add to prompts although no caption has them; whole tokens keep prompts short.
_MORE_WORDS = (
    "blurry", "low", "quality", "worst", "bad", "ugly", "deformed", "watermark", "text", "logo",
    "signature", "cropped", "noisy", "jpeg", "artifacts", "distorted", "oversaturated", "grainy",
    "cluttered", "extra", "duplicate", "amateur", "photograph", "image", "product", "object",
    "scene", "brand", "template", "style", "subject", "lighting", "composition", "the", "with",
    "and", "of", "to", "for",
)  # fmt: skip


def new_tokenizer(seed: int) -> CLIPTokenizer:
    """Learn the merges and wrap them as CLIP's tokenizer; END has the highest id, as CLIP needs."""
    merges = learn_merges(_word_counts(seed), _MERGES)
    letters = _byte_letters()
    words = [*letters, *(letter + _WORD_END for letter in letters), *map("".join, merges)]
    vocabulary = {word: index for index, word in enumerate([*dict.fromkeys(words), START, END])}
    return CLIPTokenizer(
        vocab=vocabulary,
        merges=merges,
        bos_token=START,
        eos_token=END,
        unk_token=END,
        pad_token=END,
        model_max_length=CONTEXT,
    )


def learn_merges(counts: Counter[str], wanted: int) -> list[tuple[str, str]]:
    """The most frequent pairs, one after the other; ties fall to the alphabet."""
    words = {word: [*word[:-1], word[-1] + _WORD_END] for word in counts}
    merges: list[tuple[str, str]] = []
    while len(merges) < wanted:
        pairs: Counter[tuple[str, str]] = Counter()
        for word, parts in words.items():
            for pair in pairwise(parts):
                pairs[pair] += counts[word]
        if not pairs:
            break
        best = min(pairs, key=lambda pair: (-pairs[pair], pair))
        merges.append(best)
        words = {word: _merged(parts, best) for word, parts in words.items()}
    return merges


def _merged(parts: list[str], pair: tuple[str, str]) -> list[str]:
    result: list[str] = []
    for part in parts:
        if result and (result[-1], part) == pair:
            result[-1] += part
        else:
            result.append(part)
    return result


def _word_counts(seed: int) -> Counter[str]:
    rng = np.random.default_rng((seed, 7))
    counts: Counter[str] = Counter()
    for _ in range(_CORPUS):
        counts.update(re.findall(r"[a-z]+", full_caption(random_scene(rng), rng)))
    # Made-up words teach no merges worth having.
    common = Counter({word: count for word, count in counts.items() if count >= 5})
    common.update(dict.fromkeys(_MORE_WORDS, 5))
    return common


def _byte_letters() -> list[str]:
    """The 256 printable letters that stand for the bytes in CLIP's byte-level vocabulary."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    hidden = [byte for byte in range(256) if byte not in printable]
    return [chr(byte) for byte in printable] + [chr(256 + i) for i in range(len(hidden))]
