"""`compare`: the same words on several models, measured, on one sheet."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from bot.cli.exits import ExitCode
from bot.cli.options import shipped_brands
from bot.core.comparing import chosen_models, recipes
from bot.core.errors import NotFound
from brand.kit_loader import load_kit
from brand.spec import ModelInfo
from brand.templates import Brief
from tests.fakes.command_line import Housestyle

KIT = load_kit(shipped_brands() / "northwind.toml")
WORDS = "a red mug on a wooden table"


def model(name: str, side: int = 128) -> ModelInfo:
    return ModelInfo(name=name, sha256="", layout="sd1", width=side, height=side)


def test_each_model_gets_the_same_words_and_seeds() -> None:
    wanted = recipes(Brief(words=WORDS), KIT, [model("demo"), model("other")], [1, 2])
    assert [(m.name, s.model, s.seed) for m, s in wanted] == [
        ("demo", "demo", 1), ("other", "other", 1), ("demo", "demo", 2), ("other", "other", 2),
    ]  # fmt: skip
    assert len({spec.prompt for _, spec in wanted}) == 1


def test_the_brands_lora_stays_on_the_brands_model() -> None:
    (_, own), (_, other) = recipes(Brief(words=WORDS), KIT, [model("demo"), model("other")], [1])
    assert own.loras
    assert not other.loras


def test_a_larger_model_renders_at_its_own_size_in_the_same_shape() -> None:
    wide = next(aspect for aspect in KIT.generation.aspects if aspect.width != aspect.height)
    brief = Brief(words=WORDS, aspect=wide.name)
    ((_, spec),) = recipes(brief, KIT, [model("large", 1024)], [1])
    assert spec.width * spec.height == pytest.approx(1024**2, rel=0.03)
    assert spec.width / spec.height == pytest.approx(wide.width / wide.height, rel=0.03)


def flow_model(layout: str) -> ModelInfo:
    return replace(
        model(layout, 1024), layout=layout, side_step=16, samplers=("euler", "heun", "unipc")
    )


def test_a_model_with_larger_steps_gets_sides_in_these() -> None:
    for aspect in KIT.generation.aspects:
        brief = Brief(words=WORDS, aspect=aspect.name)
        ((_, spec),) = recipes(brief, KIT, [flow_model("flux")], [1])
        assert (spec.width % 16, spec.height % 16) == (0, 0)


def test_a_model_that_refuses_the_kits_sampler_gets_the_first_of_its_list_that_it_takes() -> None:
    (_, own), (_, flow) = recipes(Brief(words=WORDS), KIT, [model("demo"), flow_model("sd3")], [1])
    assert own.sampler == KIT.generation.sampler
    assert flow.sampler == "euler"


def test_a_sampler_that_was_asked_for_is_not_replaced() -> None:
    ((_, spec),) = recipes(Brief(words=WORDS, sampler="ddim"), KIT, [flow_model("sd3")], [1])
    assert spec.sampler == "ddim"


def test_a_tile_names_its_sampler() -> None:
    from bot.cli.compare import _facts, _lines
    from bot.core.comparing import Compared

    ((found, spec),) = recipes(Brief(words=WORDS), KIT, [flow_model("sd3")], [1])
    result = Compared(model=found, spec=spec, problem="It needs 24 GiB.")
    assert any("sampler euler" in line for line in _lines(result))
    assert _facts(result)["sampler"] == "euler"


def test_an_unknown_model_is_answered_with_the_nearest_one() -> None:
    with pytest.raises(NotFound) as caught:
        chosen_models(["dmeo"], [model("demo")])
    assert "`demo`" in caught.value.fix


def test_without_names_all_models_are_compared() -> None:
    assert [m.name for m in chosen_models([], [model("a"), model("b")])] == ["a", "b"]


def test_the_command_writes_a_sheet_and_says_what_was_measured(
    housestyle: Housestyle, own_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOUSESTYLE_GENERATION_ENGINE", "drawn")
    done = housestyle(
        "compare", WORDS, "--models", "demo", "--n", "2", "--out", "sheet.png", "--json"
    )
    assert done.code == ExitCode.OK, done.err
    facts = json.loads(done.out)
    assert (own_folder / facts["sheet"]).read_bytes().startswith(b"\x89PNG")
    assert [picture["seed"] for picture in facts["pictures"]] == [1, 2]
    assert all(picture["evidence"]["verdicts"] for picture in facts["pictures"])


def test_a_misspelt_model_is_refused_before_anything_is_rendered(
    housestyle: Housestyle, own_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOUSESTYLE_GENERATION_ENGINE", "drawn")
    done = housestyle("compare", WORDS, "--models", "nothing-like-it")
    assert done.code != ExitCode.OK
    assert "nothing-like-it" in done.err
    assert not list(own_folder.glob("*.png"))


def test_a_model_that_could_not_render_still_has_its_place() -> None:
    from bot.cli.compare import _lines
    from bot.core.comparing import Compared

    ((found, spec),) = recipes(Brief(words=WORDS), KIT, [model("broken")], [1])
    lines = _lines(Compared(model=found, spec=replace(spec, seed=9), problem="It needs 24 GiB."))
    assert lines[0] == "broken"
    assert lines[-1] == "It needs 24 GiB."
