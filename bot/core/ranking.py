"""Which of many named things fit what somebody has typed so far."""

from collections.abc import Sequence

from brand.words import nearest


def ranked(typed: str, items: Sequence[tuple[str, str]]) -> list[int]:
    """Which of (name, description) pairs fit what was typed, best first, as indices.

    A name that begins so comes first, then one with a word that does, then one that has it
    inside, then descriptions. Where nothing fits, the name most like it.
    """
    wanted = " ".join(typed.casefold().split())
    if not wanted:
        return list(range(len(items)))
    graded = [(_grade(wanted, name, about), at) for at, (name, about) in enumerate(items)]
    found = [at for grade, at in sorted(graded) if grade < _NO_FIT]
    if found:
        return found
    like = nearest(wanted, (name for name, _ in items))
    return [at for at, (name, _) in enumerate(items) if like and name == like]


_NO_FIT = 5


def _grade(wanted: str, name: str, about: str) -> int:
    folded = name.casefold()
    words = folded.replace("-", " ").replace("_", " ").split()
    fits = (
        folded == wanted,
        folded.startswith(wanted),
        any(word.startswith(wanted) for word in words),
        wanted in folded,
        wanted in about.casefold(),
    )
    return next((grade for grade, fit in enumerate(fits) if fit), _NO_FIT)
