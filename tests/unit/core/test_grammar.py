"""The grammar: what people type, and what it means."""

import pytest

from bot.core import commands
from bot.core.commands import Imagine
from bot.core.errors import Mistake
from bot.core.grammar import NOT_A_COMMAND, NotACommand, parse
from bot.core.messages import ChannelRef
from brand.spec import Outpaint
from brand.templates import Brief
from tests.fakes.vocabulary import ID, OTHER_ID, SHA, VOCABULARY


def brief(text: str, *, attached: str = "") -> Brief:
    command = parse(f"/imagine {text}", vocabulary=VOCABULARY, attached=attached)
    assert isinstance(command, Imagine)
    return command.brief


def said(text: str) -> commands.Command | NotACommand:
    return parse(text, vocabulary=VOCABULARY)


def test_free_words_are_the_brief() -> None:
    assert brief("a red mug on a wooden table") == Brief(words="a red mug on a wooden table")


@pytest.mark.parametrize(
    "words",
    [
        "mother's day",
        "a 3:1 scale model",
        "e=mc2 on a blackboard",
        "width=512 a mug",
        'a 12" pizza',
        "a 5'10\" man and a 6'2\" woman",
        "a mug - red - on a table",
        "a mug -- red",
        "a mug — red",
        "red —handmade mug",
        "well-known half-timbered house",
        "50% off, 2 for 1 (really) [sic] {x}",
        'a sign that says "open now", brightly lit',
        "a sign that says “open now”",
        "a negative space photograph",
        "time: 12:30",
        "mug/cup",
        "🍵 a cup of tea",
        "eine Teekanne für Oma",
        "a $100 note & a cup @ home #1",
        "{{7*7}} {0.__class__} <lora:evil:1> [COLOR]",
    ],
)
def test_words_of_everyday_stay_words(words: str) -> None:
    assert brief(words).words == words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('"find the hidden cat"', "find the hidden cat"),
        ('"a mug --no entry"', "a mug --no entry"),
        (r'"she said \"tea\" \\ twice"', r'she said "tea" \ twice'),
        ("“a red mug”", "a red mug"),
        ("  a   red\n\tmug  ", "a red mug"),
        ("a re\u200bd m\u202eug\u0000", "a red mug"),
    ],
)
def test_words_are_read_as_they_are_meant(text: str, words: str) -> None:
    assert brief(text).words == words


def test_every_flag_reaches_the_brief() -> None:
    text = (
        "a red mug --ar 3:2 --n 4 --seed 42 --steps 20 --cfg 7.5 --sampler euler --lora acme:0.8 "
        f"--ref {ID} --strength 0.4 --private --no plants, cars"
    )
    assert brief(text) == Brief(
        words="a red mug",
        aspect="3:2",
        n=4,
        seed=42,
        steps=20,
        cfg=7.5,
        sampler="euler",
        lora="acme",
        lora_weight=0.8,
        reference=ID,
        strength=0.4,
        private=True,
        negative="plants, cars",
    )


@pytest.mark.parametrize(
    "text",
    [
        "a mug --ar=3:2",
        "a mug --AR 3:2",
        "a mug —ar 3:2",
        "a mug –ar 3:2",
        "a mug --ar 3x2",
        "a mug --ar 3/2",
        "a mug --aspect 3:2",
        'a mug --ar "3:2"',
        "a mug --ar 3:2,",
        "--ar 3:2 a mug",
        "a --ar 3:2 mug",
    ],
)
def test_a_flag_may_be_written_the_way_people_write_it(text: str) -> None:
    assert brief(text) == Brief(words="a mug", aspect="3:2")


def test_a_decimal_comma_is_a_decimal_point() -> None:
    assert brief("a mug --cfg 7,5").cfg == 7.5


@pytest.mark.parametrize(
    ("text", "lora", "weight"),
    [
        ("sketch", "sketch", None),
        ("Acme:1", "acme", 1.0),
        ("acme@3:.5", "acme@3", 0.5),
        ("none", "none", None),
        (":0.5", "", 0.5),
    ],
)
def test_a_lora_is_named_with_or_without_its_weight(
    text: str, lora: str, weight: float | None
) -> None:
    read = brief(f"a mug --lora {text}")
    assert (read.lora, read.lora_weight) == (lora, weight)


@pytest.mark.parametrize(
    ("text", "negative"),
    [
        ("a mug Negative: blurry, dark", "blurry, dark"),
        ("a mug negative:blurry, dark", "blurry, dark"),
        ("a mug. NEGATIVE PROMPT: blurry, dark", "blurry, dark"),
        ('a mug Negative: "blurry, dark"', "blurry, dark"),
        ("a mug Negative: blurry template:product a=b", "blurry template:product a=b"),
        ("a mug --no blurry --no dark", "blurry, dark"),
        ("a mug --no blurry Negative: dark", "blurry, dark"),
        ('a mug --no "a=b --x" --n 1', "a=b --x"),
        ("a mug Negative:", ""),
    ],
)
def test_what_must_not_be_in_it(text: str, negative: str) -> None:
    assert brief(text).negative == negative


def test_a_flag_in_the_negative_tail_is_still_a_flag() -> None:
    read = brief("a mug Negative: blurry --ar 3:2 dark")
    assert (read.negative, read.aspect) == ("blurry dark", "3:2")


@pytest.mark.parametrize(
    "text",
    [
        'template:product PRODUCT=mug COLOR="deep teal" PLACE="on the beach"',
        "template:product PRODUCT='mug' COLOR='deep teal' PLACE=‘on the beach’",
        "template:product PRODUCT=mug COLOR=deep teal PLACE=on the beach",
        "PRODUCT=mug, COLOR=deep teal, PLACE=on the beach, template:product",
        "template: Product product=Mug color=Deep Teal place=ON THE BEACH",
        "template:“product” PRODUCT=mug COLOR=“deep teal” PLACE=“on the beach”",
    ],
)
def test_a_template_is_filled(text: str) -> None:
    assert brief(text) == Brief(
        words="",
        template="product",
        variables=(("PRODUCT", "mug"), ("COLOR", "deep teal"), ("PLACE", "on the beach")),
    )


def test_words_may_stand_beside_a_template() -> None:
    read = brief("template:poster at night HEADLINE='Tea for two' in the rain")
    assert read.words == "at night in the rain"
    assert read.variables == (("HEADLINE", "Tea for two"),)


def test_the_longest_allowed_value_wins() -> None:
    assert brief("template:product PRODUCT=gift box PLACE=on the beach").variables[0] == (
        "PRODUCT",
        "gift box",
    )


def test_a_value_may_hold_anything_in_quotation_marks() -> None:
    read = brief(r'template:poster HEADLINE="a=b --no \"x\" [COLOR]"')
    assert read.variables == (("HEADLINE", 'a=b --no "x" [COLOR]'),)


def test_a_variable_left_out_keeps_its_default() -> None:
    read = brief("template:product PRODUCT=mug PLACE=on the beach")
    assert dict(read.variables) == {"PRODUCT": "mug", "PLACE": "on the beach"}


def test_an_attached_picture_is_the_reference() -> None:
    assert brief("a mug --strength 0.3", attached=SHA).reference == SHA


def test_the_target_channel_and_the_brand_are_named() -> None:
    command = said("/imagine a mug --channel drafts --brand beta")
    assert command == Imagine(
        brief=Brief(words="a mug"),
        brand="beta",
        target=ChannelRef(platform="local", channel="C42"),
    )


@pytest.mark.parametrize(
    ("text", "command"),
    [
        (f"/vary {ID}", commands.Vary(asset=ID)),
        (f"/vary {ID} strong", commands.Vary(asset=ID, strong=True)),
        (f"/reroll {ID}", commands.Reroll(target=ID)),
        (f"/re-roll job:{ID}", commands.Reroll(target=ID)),
        (f"/upscale {ID}", commands.Upscale(asset=ID, factor=2)),
        (f"/extend {ID}", commands.Extend(asset=ID)),
        (f"/extend {ID} left=64", commands.Extend(asset=ID, sides=Outpaint(left=64))),
        (f"/upscale {ID} 4x", commands.Upscale(asset=ID, factor=4)),
        (f"/edit {ID} a blue mug --n 2", commands.EditWords(asset=ID, text="a blue mug --n 2")),
        (f"/send {ID}", commands.SendToApproval(asset=ID)),
        (
            f"/send {ID} #social Tea time!",
            commands.SendToApproval(asset=ID, channel="#social", caption="Tea time!"),
        ),
        (
            f"/send {ID} to drafts",
            commands.SendToApproval(asset=ID, channel="#drafts"),
        ),
        (
            f"/send {ID} to all of you",
            commands.SendToApproval(asset=ID, caption="to all of you"),
        ),
        (f"/Approve {ID}", commands.Approve(review=ID)),
        (f"/reject {ID} too dark", commands.Reject(review=ID, reason="too dark")),
        (f"/change {ID} “warmer”", commands.AskChange(review=ID, reason="warmer")),
        (f"/withdraw {ID}", commands.Withdraw(asset=ID)),
        ("/cancel", commands.Cancel()),
        (f"/cancel {ID}", commands.Cancel(job=ID)),
        ("/pause-job", commands.PauseJob()),
        (f"/pause-job {ID}", commands.PauseJob(job=ID)),
        ("/resume-job", commands.ResumeJob()),
        (f"/resume-job {ID}", commands.ResumeJob(job=ID)),
        ("/queue", commands.Queue()),
        ("/queue --brand beta", commands.Queue(brand="beta")),
        (f"/show review:{ID}", commands.Show(target=ID)),
        ("/find", commands.Find()),
        ("/find red mug --state approved", commands.Find(text="red mug", state="approved")),
        ("/usage", commands.Usage()),
        (f"/settle {ID} sent", commands.Settle(publication=ID, sent=True)),
        (f"/settle {ID} again", commands.Settle(publication=ID, sent=False)),
        ("/help", commands.Help()),
        ("/help re-roll", commands.Help(topic="reroll")),
        ("/help Product", commands.Help(topic="product")),
    ],
)
def test_each_verb_is_its_command(text: str, command: commands.Command) -> None:
    assert said(text) == command
    assert said(text.removeprefix("/")) == command, "the slash may be left out"
    assert said("/imagine " + text.removeprefix("/")) == command, "every verb follows /imagine"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "\u200b",
        "help me please",
        "queue of people",
        "cancel the meeting",
        "send it",
        "show me",
        "hello",
        "/",
        "/etc/passwd",
        "// a comment",
        "a red mug",
    ],
)
def test_talk_is_no_command(text: str) -> None:
    assert said(text) is NOT_A_COMMAND
    assert not said(text)


@pytest.mark.parametrize(
    "words", ["queue of people", "help wanted sign", "show horse", "change of seasons", "cancel x"]
)
def test_a_verb_at_the_start_of_a_picture_is_a_word(words: str) -> None:
    assert brief(words).words == words


def test_a_line_that_names_a_thing_is_no_talk() -> None:
    with pytest.raises(Mistake, match="Say why"):
        said(f"reject {OTHER_ID}")
