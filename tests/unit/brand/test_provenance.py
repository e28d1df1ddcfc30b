"""The label of a picture: written into every file, read back, and never more than it should be."""

import io
import json
import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from brand.demo import demo_kit
from brand.errors import LabelUnreadable, NotAPicture
from brand.infotext import infotext
from brand.kit import BrandKit, LabelSettings
from brand.pictures import pixel_hash, pixel_hash_of_file, to_png
from brand.provenance import (
    AI_AND_PHOTO,
    AI_MADE,
    Label,
    make_master,
    make_renditions,
    read_label,
    xmp_packet,
)
from brand.spec import InitImage, LoraUse, RenderSpec
from brand.words import clean

SPEC = RenderSpec(
    prompt='a (red:1.3) mug, "café" & <b>, product photo',
    negative="blurry, text",
    model="demo",
    seed=42,
    width=64,
    height=64,
    steps=20,
    guidance=4.5,
    loras=(LoraUse(sha256="ab" * 32, weight=0.8, name="look@1"),),
)
ASSET = "4Zk9aPq0LmXw2Ty7RuVs1B"


def png(seed: int = 3) -> bytes:
    """A renderer's picture."""
    rng = np.random.default_rng(seed)
    small = rng.integers(0, 256, (8, 8, 3), dtype=np.uint8)
    return to_png(Image.fromarray(small).resize((64, 64), Image.Resampling.BICUBIC))


def kit(**label: object) -> BrandKit:
    """The demo kit with other label settings."""
    settings_ = LabelSettings(creator="Northwind Tea", renditions=("png", "jpeg", "webp"))
    return replace(demo_kit(), label=replace(settings_, **label))


def read_infotext(text: str) -> tuple[str, str, dict[str, str]]:
    """Prompt, negative prompt and pairs, the way tools read AUTOMATIC1111's form."""
    *lines, last = text.split("\n")
    prompt = [line for line in lines if not line.startswith("Negative prompt: ")]
    negative = [line[17:] for line in lines if line.startswith("Negative prompt: ")]
    pairs = re.findall(r'\s*(\w[\w \-/]+):\s*("(?:\\.|[^\\"])+"|[^,]*)(?:,|$)', last)
    values = {key: json.loads(v) if v.startswith('"') else v for key, v in pairs}
    return "\n".join(prompt), "\n".join(negative), values


def test_the_master_keeps_the_pixels_and_tells_the_whole_recipe() -> None:
    master = make_master(png(), SPEC, kit(), asset_id=ASSET, weights="cd" * 32)
    assert master.transform == "master"
    assert master.pixel_hash == pixel_hash_of_file(png()) == pixel_hash_of_file(master.data)
    with Image.open(io.BytesIO(master.data)) as image:
        image.load()
        prompt, negative, pairs = read_infotext(image.info["parameters"])
    assert (prompt, negative) == (SPEC.prompt, "blurry, text")
    assert pairs == {
        "Steps": "20",
        "Sampler": "DPM++ 2M Karras",
        "CFG scale": "4.5",
        "Seed": "42",
        "Size": "64x64",
        "Model hash": "cdcdcdcdcd",
        "Model": "demo",
        "Lora hashes": "look@1: ababababab",
        "Lora weights": "look@1: 0.8",
        "Recipe": SPEC.hash,
        "Version": "Housestyle 1",
    }


@pytest.mark.parametrize(
    ("sampler", "name"),
    [("dpmpp_2m_karras", "DPM++ 2M Karras"), ("euler_a", "Euler a"), ("own_karras", "own_karras")],
)
def test_samplers_have_the_names_that_other_tools_know(sampler: str, name: str) -> None:
    spec = RenderSpec(prompt="x", model="m", seed=1, sampler=sampler)
    assert read_infotext(infotext(spec))[2]["Sampler"] == name


def test_a_recipe_with_a_reference_tells_its_strength() -> None:
    spec = RenderSpec(prompt="x", model="m", seed=1, init=InitImage(sha256="a" * 64, strength=0.4))
    assert read_infotext(infotext(spec))[2]["Denoising strength"] == "0.4"


def test_an_enlarged_picture_tells_its_factor() -> None:
    spec = RenderSpec(prompt="x", model="m", seed=1, width=64, height=64, upscale=2)
    pairs = read_infotext(infotext(spec))[2]
    assert (pairs["Size"], pairs["Hires upscale"]) == ("64x64", "2")
    assert "Hires upscale" not in infotext(replace(spec, upscale=1))


def test_a_prompt_cannot_forge_lines_of_the_recipe() -> None:
    spec = RenderSpec(prompt="x\nNegative prompt: y\nSteps: 1, Seed: 9", model="m", seed=42)
    _, negative, pairs = read_infotext(infotext(spec))
    assert negative == ""
    assert pairs["Seed"] == "42"


@given(st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\0"), max_size=60))
@settings(max_examples=60)
def test_any_prompt_gives_three_readable_lines(prompt: str) -> None:
    spec = RenderSpec(prompt=prompt, negative="n", model="m", seed=5)
    text = infotext(spec)
    assert len(text.split("\n")) == 3
    assert read_infotext(text)[2]["Seed"] == "5"


def test_every_rendition_says_that_ai_made_it() -> None:
    files = make_renditions(png(), SPEC, kit(), asset_id=ASSET)
    assert [file.transform for file in files] == ["labelled-png", "jpeg", "webp"]
    assert [file.mime for file in files] == ["image/png", "image/jpeg", "image/webp"]
    for file in files:
        label = Label(asset=ASSET, source_type=AI_MADE, creator="Northwind Tea")
        assert read_label(file.data) == label
        assert file.pixel_hash == pixel_hash_of_file(file.data)
        assert b"http://cv.iptc.org/newscodes/digitalsourcetype/trained" in file.data


def test_only_the_labelled_png_has_the_masters_pixels() -> None:
    files = make_renditions(png(), SPEC, kit(), asset_id=ASSET)
    same = [file.transform for file in files if file.pixel_hash == pixel_hash_of_file(png())]
    assert same == ["labelled-png"]


def test_a_picture_over_a_photo_is_labelled_as_composite() -> None:
    spec = replace(SPEC, init=InitImage(sha256="a" * 64))
    (first, *_) = make_renditions(png(), spec, kit(), asset_id=ASSET)
    label = read_label(first.data)
    assert label is not None
    assert label.source_type == AI_AND_PHOTO
    (varied, *_) = make_renditions(png(), spec, kit(), asset_id=ASSET, from_photo=False)
    label = read_label(varied.data)
    assert label is not None
    assert label.source_type == AI_MADE


def test_no_published_file_holds_the_prompt_unless_the_kit_says_so() -> None:
    for file in make_renditions(png(), SPEC, kit(), asset_id=ASSET):
        assert b"product photo" not in file.data
        assert b"parameters" not in file.data
    for file in make_renditions(png(), SPEC, kit(prompt_in_published_file=True), asset_id=ASSET):
        label = read_label(file.data)
        assert label is not None
        assert label.prompt == SPEC.prompt


def test_the_same_picture_gives_the_same_files() -> None:
    assert make_renditions(png(), SPEC, kit(), asset_id=ASSET) == make_renditions(
        png(), SPEC, kit(), asset_id=ASSET
    )


@given(st.text(max_size=80), st.text(max_size=40))
@settings(max_examples=40)
def test_a_label_of_any_words_is_read_back_as_clean_words(prompt: str, creator: str) -> None:
    label = Label(asset=ASSET, prompt=prompt, creator=creator)
    info = PngInfo()
    info.add_itxt("XML:com.adobe.xmp", xmp_packet(label).decode())
    out = io.BytesIO()
    Image.new("RGB", (2, 2)).save(out, "PNG", pnginfo=info)
    found = read_label(out.getvalue())
    assert found == Label(asset=ASSET, prompt=clean(prompt), creator=clean(creator))


def test_a_picture_without_a_label_has_none() -> None:
    assert read_label(png()) is None


def with_xmp(packet: str) -> bytes:
    """A PNG with this XMP."""
    info = PngInfo()
    info.add_itxt("XML:com.adobe.xmp", packet)
    out = io.BytesIO()
    Image.new("RGB", (2, 2)).save(out, "PNG", pnginfo=info)
    return out.getvalue()


def test_another_programs_xmp_is_no_label_of_ours() -> None:
    packet = xmp_packet(Label(asset=ASSET)).decode()
    assert read_label(with_xmp(re.sub(r'Iptc4xmpExt:Digital\w+="[^"]*"', "", packet))) is None


def test_an_element_counts_like_an_attribute() -> None:
    packet = xmp_packet(Label(asset=ASSET)).decode()
    attribute = f' Iptc4xmpExt:DigitalSourceType="{AI_MADE}"'
    element = f"<Iptc4xmpExt:DigitalSourceType>{AI_MADE}</Iptc4xmpExt:DigitalSourceType>"
    other = packet.replace(attribute, "").replace("<dc:identifier>", element + "<dc:identifier>")
    assert read_label(with_xmp(other)) == Label(asset=ASSET)


BOMB = (
    '<!DOCTYPE a [<!ENTITY b "bbbbbbbbbb"><!ENTITY c "&b;&b;&b;&b;&b;&b;">'
    '<!ENTITY d "&c;&c;&c;&c;&c;&c;&c;">]><a>&d;</a>'
)


@pytest.mark.parametrize(
    "packet",
    [
        "<not xml",
        BOMB,
        '<!DOCTYPE a SYSTEM "http://127.0.0.1/x"><a/>',
        '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
        "x" * 70_000,
        xmp_packet(Label(asset=ASSET)).decode().replace("trainedAlgorithmicMedia", "nonsense"),
        xmp_packet(Label(asset=ASSET)).decode().replace(ASSET, "../../etc/passwd"),
    ],
    ids=["broken", "bomb", "dtd", "entity", "long", "nonsense type", "odd id"],
)
def test_a_broken_or_hostile_label_is_unreadable_and_harmless(packet: str) -> None:
    with pytest.raises(LabelUnreadable):
        read_label(with_xmp(packet))


def test_bytes_that_are_no_picture_have_no_label_to_read() -> None:
    with pytest.raises(NotAPicture):
        read_label(b"nothing")


@pytest.mark.parametrize(
    ("field", "value"),
    [("source_type", "https://example.org/x"), ("asset", "../x"), ("asset", "")],
)
def test_a_label_with_nonsense_is_never_written(field: str, value: str) -> None:
    with pytest.raises(ValueError, match=r"ours|asset id"):
        Label(**{"asset": ASSET, field: value})


def test_the_pixel_hash_survives_the_label() -> None:
    master = make_master(png(), SPEC, kit(), asset_id=ASSET)
    with Image.open(io.BytesIO(master.data)) as image:
        assert pixel_hash(image) == master.pixel_hash
