"""The gates: verdicts with numbers, evidence that survives storage, one changed retry."""

import json
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image, ImageFilter

from brand.color import PixelArray
from brand.demo import demo_kit
from brand.gates import brand_passes, palette_gate, run_gates
from brand.kit import ApprovedLora, LoraPolicy
from brand.measures import fingerprint
from brand.retry import changed_recipe
from brand.spec import LoraUse, RenderSpec
from brand.verdicts import Evidence, Fact, Swatch, Verdict

LOOK = ApprovedLora(name="look", version="1", sha256="a" * 64, weight=0.8, max_weight=0.9)
KIT = replace(demo_kit(), lora=LoraPolicy(default="look", approved=(LOOK,)))
SPEC = RenderSpec(
    prompt="an orange mug",
    model="demo",
    seed=42,
    width=128,
    height=128,
    steps=20,
    loras=(LoraUse(sha256="a" * 64, weight=0.8, name="look@1"),),
)
COLORS = {color.name: color.rgb for color in KIT.palette}


def branded() -> PixelArray:
    """Diagonal stripes of teal, orange and cream."""
    y, x = np.mgrid[0:128, 0:128]
    band = ((x + y) // 18) % 3
    table = np.array([COLORS["teal"], COLORS["orange"], COLORS["cream"]], dtype=np.uint8)
    return table[band]


def evidence(
    pixels: PixelArray, spec: RenderSpec = SPEC, known: tuple[tuple[str, str], ...] = ()
) -> Evidence:
    """What the gates say."""
    return run_gates(pixels, spec, KIT, known)


def verdict(name: str, pixels: PixelArray, **more: object) -> Verdict:
    """What one gate says."""
    found = evidence(pixels, **more).verdict(name)
    assert found is not None
    return found


def test_a_picture_of_the_brand_passes_with_its_numbers_in_one_line() -> None:
    found = evidence(branded())
    assert found.passed
    assert found.line == (
        "palette 100 %: teal 34, orange 34, cream 33, navy 0 · stripes 100 % · sharp · "
        "not like anything before · 128 × 128 px · no banned words · moderation: not installed"
    )


def test_swatches_show_what_was_measured_and_what_is_wanted() -> None:
    swatches = verdict("palette", branded()).swatches
    assert swatches[0] == Swatch("teal", "#0f7c7c", pytest.approx(0.33, abs=0.02), 0.12)
    assert swatches[2].wanted == 0


def test_a_key_colour_below_its_quota_fails_though_the_rest_is_on_palette() -> None:
    pixels = branded()
    pixels[(pixels == COLORS["orange"]).all(-1)] = COLORS["cream"]
    found = verdict("palette", pixels)
    assert found.passed is False
    assert found.summary == "palette 100 %: teal 34, orange 0, cream 66, navy 0; orange needs 8 %"


def test_a_quota_met_to_the_point_passes() -> None:
    pixels = np.full((100, 100, 3), COLORS["cream"], dtype=np.uint8)
    pixels[:12], pixels[12:20] = COLORS["teal"], COLORS["orange"]
    assert verdict("palette", pixels).passed
    exact = replace(KIT, gates=replace(KIT.gates, min_palette_share=1.0))
    assert palette_gate(pixels, exact).passed
    pixels[19, 0] = COLORS["cream"]
    assert verdict("palette", pixels).passed is False


def test_verdicts_give_their_numbers_beside_the_words() -> None:
    found = evidence(branded())
    facts = {fact.label: (fact.value, fact.unit) for item in found.verdicts for fact in item.facts}
    assert facts["palette"] == (100, "%")
    assert facts["palette wanted"] == (40, "%")
    assert facts["stripes"] == (100, "%")
    assert facts["stripes wanted"] == (25, "%")
    assert facts["width"] == (128, "px")
    assert facts["sharpness"][0] > 100


def test_a_picture_off_palette_fails() -> None:
    pixels = np.full((128, 128, 3), (200, 0, 200), dtype=np.uint8)
    assert verdict("palette", pixels).passed is False
    assert "40 % wanted" in verdict("palette", pixels).summary


def test_palette_without_stripes_is_not_the_brand() -> None:
    pixels = branded()
    pixels[:] = COLORS["cream"]
    pixels[:40], pixels[40:70] = COLORS["teal"], COLORS["orange"]
    assert verdict("palette", pixels).passed
    assert verdict("motif", pixels).passed is False
    assert not brand_passes(pixels, KIT)
    assert brand_passes(branded(), KIT)


def test_a_soft_picture_fails_with_its_number() -> None:
    soft = Image.fromarray(branded()).filter(ImageFilter.GaussianBlur(4))
    found = verdict("sharpness", np.asarray(soft))
    assert found.passed is False
    assert found.summary.startswith("soft: ")
    assert found.facts[1] == Fact("wanted", 5.0)


def test_a_near_duplicate_names_what_it_is_like() -> None:
    print_ = fingerprint(branded())
    far = f"{int(print_, 16) ^ 0xFFFF:016x}"
    found = verdict("near_duplicate", branded(), known=(("a1", far), ("a2", print_)))
    assert found.passed is False
    assert found.summary == "almost the same as a2"
    apart = verdict("near_duplicate", branded(), known=(("a1", far),))
    assert apart.passed
    assert apart.facts[0] == Fact("differing bits", 16, "of 64")


def test_a_kit_may_turn_near_duplicates_off_and_that_is_said() -> None:
    kit = replace(KIT, gates=replace(KIT.gates, min_near_duplicate_bits=0))
    found = run_gates(branded(), SPEC, kit, [("a", fingerprint(branded()))])
    off = found.verdict("near_duplicate")
    assert off is not None
    assert off.passed is None
    assert off.summary == "near-duplicates: not checked"


@pytest.mark.parametrize(
    ("pixels", "spec", "summary"),
    [
        (branded()[:64], SPEC, "128 × 64 px instead of 128 × 128"),
        (
            branded()[:64, :64],
            replace(SPEC, width=64, height=64),
            "64 × 64 px; 128 px is the least side",
        ),
        (np.zeros((128, 128, 3), dtype=np.uint8), SPEC, "empty: one flat colour"),
    ],
)
def test_a_picture_of_the_wrong_size_or_without_content_fails(
    pixels: PixelArray, spec: RenderSpec, summary: str
) -> None:
    found = verdict("size", pixels, spec=spec)
    assert found.passed is False
    assert found.summary == summary


def test_an_enlarged_picture_has_the_size_of_its_factor() -> None:
    large = np.asarray(Image.fromarray(branded()).resize((256, 256)))
    assert verdict("size", large, spec=replace(SPEC, upscale=2)).passed


def test_a_banned_word_in_the_rendered_prompt_fails() -> None:
    found = verdict("banned_words", branded(), spec=replace(SPEC, prompt="a (cheap:1.2) mug"))
    assert found.passed is False
    assert found.summary == "banned word 'cheap' (tone rule 4, @brand)"


def test_moderation_without_weights_is_never_called_passed() -> None:
    found = verdict("moderation", branded())
    assert found.passed is None
    assert found.summary == "moderation: not installed"


@pytest.mark.parametrize(("likelihood", "passed"), [(0.1, True), (0.5, True), (0.9, False)])
def test_moderation_with_weights_is_judged(likelihood: float, passed: bool) -> None:
    found = run_gates(branded(), SPEC, KIT, nsfw=likelihood).verdict("moderation")
    assert found is not None
    assert found.passed is passed
    assert found.facts[0].value == likelihood * 100


def test_a_kit_without_palette_and_motif_judges_neither() -> None:
    kit = replace(KIT, palette=(), gates=replace(KIT.gates, motif=None))
    found = run_gates(branded(), SPEC, kit)
    states = {item.name: item.passed for item in found.verdicts}
    assert states["palette"] is None
    assert states["motif"] is None
    assert found.passed
    assert brand_passes(branded(), kit)


def test_evidence_survives_its_json_form() -> None:
    found = evidence(branded(), known=(("a2", "0" * 16),))
    assert Evidence.from_dict(json.loads(json.dumps(found.to_dict()))) == found


@pytest.mark.parametrize(
    "raw",
    [
        {},
        {"v": 1},
        {"v": 2, "verdicts": [], "fingerprint": ""},
        {"v": 1, "verdicts": [{}], "fingerprint": ""},
        {"v": 1, "verdicts": 7, "fingerprint": ""},
    ],
)
def test_something_else_is_not_evidence(raw: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="not evidence"):
        Evidence.from_dict(raw)


def failing(*names: str) -> Evidence:
    """Evidence in which these gates failed."""
    return Evidence(
        verdicts=tuple(Verdict(name=name, passed=False, summary=f"{name} bad") for name in names)
    )


def test_a_soft_picture_is_rendered_again_with_more_steps_and_a_new_seed() -> None:
    changed, why = changed_recipe(SPEC, failing("sharpness"), 2, KIT)
    assert changed == replace(SPEC, steps=30, seed=changed.seed)
    assert changed.seed != SPEC.seed
    assert why == "sharpness bad → steps 20 → 30, new seed"


def test_steps_stay_inside_the_kits_limit() -> None:
    changed, why = changed_recipe(replace(SPEC, steps=50), failing("sharpness"), 2, KIT)
    assert changed.steps == 50
    assert why == "sharpness bad → new seed"


def test_an_off_brand_picture_gets_more_lora_inside_the_policy_and_the_brands_words() -> None:
    changed, why = changed_recipe(SPEC, failing("palette", "motif"), 2, KIT)
    assert changed.loras[0].weight == 0.9
    assert changed.prompt == "an orange mug, diagonal teal and orange stripes"
    assert why == (
        "palette bad; motif bad → LoRA weight 0.8 → 0.9, "
        "'diagonal teal and orange stripes' added, new seed"
    )
    changed, why = changed_recipe(SPEC, failing("palette"), 2, KIT)
    assert changed.prompt == "an orange mug, teal and orange colors"


def test_a_lora_far_from_its_limit_gets_a_quarter_more() -> None:
    light = replace(SPEC, loras=(replace(SPEC.loras[0], weight=0.4),))
    changed, why = changed_recipe(light, failing("motif"), 2, KIT)
    assert changed.loras[0].weight == 0.5
    assert "LoRA weight 0.4 → 0.5" in why


def test_a_lora_that_is_not_on_the_list_any_more_is_left_as_it_is() -> None:
    kit = replace(KIT, lora=LoraPolicy())
    changed, why = changed_recipe(SPEC, failing("palette"), 2, kit)
    assert changed.loras == SPEC.loras
    assert "LoRA" not in why


def test_words_that_are_there_are_not_added_twice() -> None:
    spec = replace(SPEC, prompt="a mug, Diagonal teal and orange stripes")
    changed, _ = changed_recipe(spec, failing("motif"), 2, KIT)
    assert changed.prompt == spec.prompt


def test_a_near_duplicate_gets_a_new_seed_and_nothing_else() -> None:
    changed, why = changed_recipe(SPEC, failing("near_duplicate"), 2, KIT)
    assert changed == replace(SPEC, seed=changed.seed)
    assert why == "near_duplicate bad → new seed"


def test_a_retry_is_the_same_each_time_it_is_worked_out() -> None:
    assert changed_recipe(SPEC, failing("palette"), 2, KIT) == changed_recipe(
        SPEC, failing("palette"), 2, KIT
    )
    second, third = (changed_recipe(SPEC, failing("palette"), n, KIT)[0].seed for n in (2, 3))
    assert second != third


def test_a_picture_that_passed_is_not_rendered_again() -> None:
    with pytest.raises(ValueError, match="every gate passed"):
        changed_recipe(SPEC, evidence(branded()), 2, KIT)
