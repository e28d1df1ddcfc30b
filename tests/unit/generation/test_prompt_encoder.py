"""The terms of every layout: unweighted prompts exactly as the stock pipeline encodes them."""

from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from brand.spec import SpecInvalid
from tests.unit.generation.fleets import loader_of

if TYPE_CHECKING:
    from generation.engine.library.fleet import LoadedModel
    from generation.engine.words.prompts import Encoded

pytestmark = [pytest.mark.model, pytest.mark.filterwarnings("ignore")]

PROMPTS = ("", "a red mug on a wooden table", "  white   space and CAPITALS  ", "a, b; c! 12")
LAYOUTS = ("sd1", "sdxl", "sd3", "sd3-short", "flux", "schnell")


@pytest.fixture(scope="module")
def load(tiny_family: Path) -> "Callable[[str], LoadedModel]":
    return loader_of(tiny_family)


def encoded(
    model: "LoadedModel", prompt: str, negative: str = "", *, guidance: float = 5.0, **more: Any
) -> "Encoded":
    return model.prompts.encode(prompt, negative, guidance=guidance, width=64, height=48, **more)


def stock(model: "LoadedModel", prompt: str, negative: str) -> "list[Any]":
    """Positive then negative text, then the pooled ones, as the pipeline returns them."""
    import torch

    with torch.no_grad():
        if model.layout == "flux":
            both = [model.pipe.encode_prompt(text, None)[:2] for text in (prompt, negative)]
            return [both[0][0], both[1][0], both[0][1], both[1][1]]
        more = {"prompt_2": None, "prompt_3": None} if model.layout == "sd3" else {}
        return list(
            model.pipe.encode_prompt(
                prompt=prompt,
                negative_prompt=negative or None,
                device="cpu",
                num_images_per_prompt=1,
                do_classifier_free_guidance=True,
                **more,
            )
        )


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("prompt", PROMPTS)
@pytest.mark.parametrize("negative", ["", "blurry, ugly"])
def test_unweighted_prompts_encode_exactly_as_the_stock_pipeline(
    load: "Callable[[str], LoadedModel]", layout: str, prompt: str, negative: str
) -> None:
    model = load(layout)
    theirs = stock(model, prompt, negative)
    terms = encoded(model, prompt, negative).terms
    positive = terms[-1]
    assert positive.text.equal(theirs[0][0])
    if model.layout != "sd1":
        assert positive.pooled is not None
        assert positive.pooled.equal(theirs[2][0])
    if layout == "flux":
        return
    assert len(terms) == 2
    assert terms[0].text.equal(theirs[1][0])
    if terms[0].pooled is not None:
        assert terms[0].pooled.equal(theirs[3][0])


@pytest.mark.parametrize("layout", ["sd3", "flux"])
def test_emphasis_acts_on_t5_and_is_never_read_as_text(
    load: "Callable[[str], LoadedModel]", layout: str
) -> None:
    model = load(layout)
    plain = encoded(model, "a red mug").terms[-1].text[-200:]
    weighted = encoded(model, "a (red:1.5) mug").terms[-1].text[-200:]
    neutral = encoded(model, "a (red:1.0) mug").terms[-1].text[-200:]
    assert neutral.equal(plain)
    assert not weighted.equal(plain)
    tokens = {"sd3": 256, "flux": 512}[layout]
    change = (
        encoded(model, "a (red:1.5) mug").terms[-1].text[-tokens:]
        / encoded(model, "a red mug").terms[-1].text[-tokens:]
    ).mean(-1)
    assert int(change.argmax()) == 1  # a, red
    assert float(change[1] / change[0]) == pytest.approx(1.5, rel=1e-3)


@pytest.mark.parametrize("layout", ["sd1", "sdxl", "sd3"])
def test_both_prompts_have_as_many_windows(
    load: "Callable[[str], LoadedModel]", layout: str
) -> None:
    found = encoded(load(layout), "a mug, " * 40, "ugly")
    assert found.windows > 1
    assert found.terms[0].text.shape == found.terms[1].text.shape
    plain = encoded(load(layout), "a mug").terms[1].text
    assert len(found.terms[1].text) - len(plain) == 77 * (found.windows - 1)


@pytest.mark.parametrize("layout", ["sd1", "sdxl", "sd3-short"])
@pytest.mark.parametrize("much", ["a BREAK " * 9, "mug " * 601], ids=["breaks", "words"])
def test_a_prompt_of_too_many_windows_is_refused_with_the_limit(
    load: "Callable[[str], LoadedModel]", layout: str, much: str
) -> None:
    with pytest.raises(SpecInvalid, match="at most 8 windows"):
        encoded(load(layout), much)
    with pytest.raises(SpecInvalid, match="at most 8 windows"):
        encoded(load(layout), "a mug", much)
    assert encoded(load(layout), "a BREAK " * 7 + "a").windows == 8


def test_flux_reads_one_window_however_many_breaks_there_are(
    load: "Callable[[str], LoadedModel]",
) -> None:
    assert encoded(load("flux"), "a BREAK " * 9).windows == 1


def test_a_prompt_too_long_for_t5_is_refused_with_the_limit(
    load: "Callable[[str], LoadedModel]",
) -> None:
    with pytest.raises(SpecInvalid, match="this model reads 511 at most"):
        encoded(load("flux"), "mug " * 600)


def test_a_model_with_distilled_guidance_is_told_of_it_and_asked_once(
    load: "Callable[[str], LoadedModel]",
) -> None:
    distilled = encoded(load("flux"), "a mug", "ugly", guidance=3.5).terms
    assert [terms.guidance for terms in distilled] == [3.5]
    both = encoded(load("schnell"), "a mug", "ugly", guidance=3.5).terms
    assert [terms.guidance for terms in both] == [0.0, 0.0]
    assert len(encoded(load("schnell"), "a mug", "ugly", guidance=1.0).terms) == 1


def test_sdxl_is_told_the_size_height_first(load: "Callable[[str], LoadedModel]") -> None:
    for terms in encoded(load("sdxl"), "a mug").terms:
        assert terms.sizes is not None
        assert terms.sizes.tolist() == [48, 64, 0, 0, 48, 64]


class Counted:
    """Changes to the text encoders that count how often they were asked to act."""

    def __init__(self, key: Hashable) -> None:
        self.key = key
        self.times = 0

    @contextmanager
    def applied(self) -> Iterator[None]:
        self.times += 1
        yield

    def words(self, encoder: int) -> Mapping[str, tuple[int, ...]]:
        return {"<house>": (5, 6, 7 + encoder)}


def test_a_prompt_is_encoded_once_for_equal_changes(
    load: "Callable[[str], LoadedModel]",
) -> None:
    one, same, other = Counted("one"), Counted("one"), Counted("other")
    model = load("sd1")
    first = encoded(model, "a cached mug", "no", changes=one).terms
    again = encoded(model, "a cached mug", "no", changes=same).terms
    assert (one.times, same.times) == (2, 0)
    assert again[1].text.data_ptr() == first[1].text.data_ptr()
    encoded(model, "a cached mug", "no", changes=other)
    assert other.times == 2


def test_learned_words_are_read_as_their_tokens(load: "Callable[[str], LoadedModel]") -> None:
    from generation.engine.words.windows import windows_of

    tokenizer = load("sd1").pipe.tokenizer
    words = {"<house>": (5, 6, 7)}
    plain = windows_of(tokenizer, "a mug")[0].ids
    (found,) = windows_of(tokenizer, "a <house> (mug <house>:1.2)", words)
    at = len(tokenizer("a", add_special_tokens=False).input_ids)
    assert found.ids == (*plain[:at], 5, 6, 7, *plain[at:], 5, 6, 7)
    assert found.weights[-1] == pytest.approx(1.2)
