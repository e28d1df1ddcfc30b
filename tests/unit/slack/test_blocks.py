"""Cards as people meet them in Slack: every kind, in every state, with any words."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.chat.slack_chat.rendering.blocks import blobs_of, message_of
from bot.chat.slack_chat.rendering.commands import typed_here
from bot.chat.slack_chat.rendering.limits import Message
from bot.core.card_words import bar
from bot.core.cards import error_card
from bot.core.errors import Mistake
from bot.core.grammar import parse
from bot.core.help import example_of, help_card
from bot.core.messages import Button, Card, Field, PictureRef, Style, Swatch
from bot.core.verbs import VERBS as VERBS_THAT_ARE
from bot.core.vocabulary import Vocabulary
from tests.fakes.any_card import any_card
from tests.fakes.house_says import all_it_says
from tests.fakes.slack.blocks import check_message, pings
from tests.fakes.town import KIT

ASSET = "0Ab1Cd2Ef3Gh4Ij5Kl6Mn7"
VOCABULARY = Vocabulary.of(KIT)
FILES = {f"blob{n}": f"F0000000{n:02}" for n in range(100)}

VERBS = (
    ("Share", "share", Style.PRIMARY, ""),
    ("Use", "use", Style.QUIET, ""),
    ("Vary", "vary", Style.QUIET, ""),
    ("Vary strongly", "vary", Style.QUIET, ""),
    ("Upscale", "upscale", Style.QUIET, ""),
    ("Extend", "extend", Style.QUIET, ""),
    ("Re-roll", "reroll", Style.QUIET, ""),
    ("Edit words", "edit", Style.QUIET, "words"),
    ("Use as reference", "reference", Style.QUIET, "reference"),
    ("Send to approval for #social", "send", Style.QUIET, ""),
    ("Cancel", "withdraw", Style.QUIET, ""),
)
EXTRA = {"Vary strongly": ":strong", "Send to approval for #social": ":#social"}


def picture(number: int = 1, *, draft: bool = True, ok: bool = True) -> PictureRef:
    asset = f"{ASSET[:-2]}{number:02}"
    return PictureRef(
        asset=asset,
        blob=f"blob{number}",
        alt=f"Acme: a red mug (draft, picture {number})",
        width=64,
        height=64,
        number=number,
        draft=draft,
        buttons=tuple(
            Button(label=label, action=f"{verb}:{asset}{EXTRA.get(label, '')}", style=style, asks=a)
            for label, verb, style, a in VERBS
        ),
        fields=(
            Field(
                label="palette",
                value="palette 92 %: teal 41, orange 33; 95 % wanted",
                swatches=(Swatch(name="blue", hex="#3377dd", share=0.41),),
                ok=ok,
            ),
            Field(label="moderation", value="moderation: not installed"),
        ),
        caption="seed 42 · LoRA acme × 0.8 · 6.1 s · 0.2 ct",
    )


def job(**given: Any) -> Card:
    card = Card(
        kind="job",
        subject=f"job:{ASSET}",
        title="a red mug on a wooden table",
        lines=("Mia · Acme · template product",),
        state="queued",
        status="Queued, 3rd in line, about 40 s. I'll update this message.",
        progress=0.0,
        buttons=(
            Button(label="Pause", action=f"pause_job:{ASSET}"),
            Button(label="Cancel", action=f"cancel:{ASSET}"),
        ),
    )
    return replace(card, **given)


def done(count: int) -> Card:
    return job(
        state="done",
        status=f"Done: {count} pictures in 12 s",
        progress=None,
        buttons=(),
        pictures=tuple(picture(n) for n in range(1, count + 1)),
        draft=True,
    )


REVIEW = Card(
    kind="review",
    subject=f"review:{ASSET}",
    title="a red mug",
    lines=("Mia asks for #social, by Mon 09 Mar 09:00 UTC", "Template product · LoRA acme@3"),
    state="open",
    status="Brand check: palette 92 % · sharp",
    pictures=(replace(picture(), buttons=(), fields=()),),
    fields=picture().fields,
    buttons=(
        Button(label="Approve", action=f"approve:{ASSET}", style=Style.PRIMARY),
        Button(label="Reject…", action=f"reject:{ASSET}", style=Style.DANGER, asks="reason"),
        Button(label="Ask for a change…", action=f"change:{ASSET}", asks="reason"),
    ),
    draft=True,
)


def rendered(card: Card, **given: Any) -> Message:
    """The message, which the models and this Slack both take."""
    message = message_of(card, files=given.pop("files", FILES), **given)
    assert check_message(sent(message), files=lambda _file: None) == []
    return message


def sent(message: Message) -> list[dict[str, Any]]:
    return [block.to_dict() for block in message.blocks]


def kinds(message: Message) -> list[str]:
    return [block["type"] for block in sent(message)]


def words(message: Message) -> str:
    """What a person reads from top to bottom."""
    lines = []
    for block in sent(message):
        for part in (block, block.get("accessory", {}), *block.get("elements", ())):
            text = part.get("text", "")
            lines.append(text["text"] if isinstance(text, dict) else text)
            lines += [f"· {option['text']['text']}" for option in part.get("options", ())]
    return "\n".join(line for line in lines if line)


def elements(message: Message) -> list[dict[str, Any]]:
    rows = [block["elements"] for block in sent(message) if block["type"] == "actions"]
    return [element for row in rows for element in row]


def labels(message: Message) -> list[str]:
    return [e["text"]["text"] for e in elements(message) if e["type"] == "button"]


def test_a_queued_job_says_its_place_and_can_be_cancelled() -> None:
    message = rendered(job())
    assert words(message).splitlines()[:3] == [
        "*a red mug on a wooden table*",
        "Mia · Acme · template product",
        "⏳ Queued, 3rd in line, about 40 s. I'll update this message.",
    ]
    assert "▱" not in words(message)
    assert labels(message) == ["Pause", "Cancel"]
    assert "Queued, 3rd in line" in message.text


def test_a_running_job_shows_a_bar_and_what_the_picture_looks_like_so_far() -> None:
    preview = replace(picture(), blob="F0PREVIEW1", buttons=(), fields=())
    running = job(
        state="rendering",
        status="Rendering 1 of 2 · 45 % · about 12 s left",
        progress=0.45,
        preview=preview,
    )
    message = rendered(running, files={})
    assert "`▰▰▰▰▰▱▱▱▱▱▱▱`" in words(message)
    assert words(message).count("45 %") == 1
    assert kinds(message) == ["section", "context", "section", "image", "actions"]
    assert sent(message)[3]["slack_file"] == {"id": "F0PREVIEW1"}
    assert blobs_of(running) == ()
    without = rendered(replace(running, preview=None, status="Rendering 1 picture"), files={})
    assert "▱` 45 %" in words(without)


@pytest.mark.parametrize(
    ("progress", "shown"), [(-1.0, 0), (0.0, 0), (0.5, 6), (1.0, 12), (7.0, 12)]
)
def test_a_bar_is_always_twelve_long(progress: float, shown: int) -> None:
    assert bar(progress) == "▰" * shown + "▱" * (12 - shown)


def test_a_finished_job_shows_each_picture_with_its_number_facts_and_buttons() -> None:
    message = rendered(done(2))
    assert kinds(message) == ["section", "context", "section", *["image", "context", "actions"] * 2]
    said = words(message)
    assert "*1* · ✏️ draft · ✅ *Brand check passed*" in said
    assert "seed 42 · LoRA acme × 0.8 · 6.1 s · 0.2 ct" in said
    assert "✏️ draft" in said.splitlines()[1]
    for block in sent(message):
        if block["type"] == "image":
            assert block["alt_text"].startswith("Acme: a red mug")


def test_every_button_of_a_picture_is_there_once_the_daily_ones_outside_the_menu() -> None:
    message = rendered(done(1))
    outside, menu = elements(message)[:-1], elements(message)[-1]
    shown = [element["text"]["text"] for element in outside]
    behind = [option["text"]["text"] for option in menu["options"]]
    assert shown == ["Share", "Use", "Vary", "Re-roll", "Edit words", "Cancel"]
    assert sorted([*shown, *behind]) == sorted(label for label, *_ in VERBS)
    assert menu["action_id"] == f"more:{picture().asset}"
    assert len(behind) == 5


def test_a_button_carries_its_action_and_what_it_asks() -> None:
    message = rendered(done(1))
    by_label = {e["text"]["text"]: e for e in elements(message) if e["type"] == "button"}
    asset = picture().asset
    assert by_label["Use"]["action_id"] == f"do:use:{asset}"
    assert by_label["Use"]["value"] == "-"
    assert by_label["Edit words"]["value"] == "words"
    assert by_label["Share"]["style"] == "primary"
    assert "style" not in by_label["Use"]
    values = [option["value"] for option in elements(message)[-1]["options"]]
    assert f"reference:{asset}|reference" in values
    assert f"vary:{asset}:strong" in values


def test_a_screen_reader_hears_which_picture_a_button_is_for() -> None:
    [vary, *_] = [
        e for e in elements(rendered(done(2))) if e.get("action_id", "").startswith("do:vary")
    ]
    assert vary["accessibility_label"] == "Vary, picture 1"


def test_few_buttons_need_no_menu() -> None:
    few = replace(picture(), buttons=picture().buttons[:4])
    assert [e["type"] for e in elements(rendered(job(pictures=(few,), buttons=())))] == [
        "button"
    ] * 4


def test_a_kit_with_forty_channels_loses_no_button() -> None:
    buttons = tuple(
        Button(label=f"Send to approval for #c{n}", action=f"send:{ASSET}:#c{n}") for n in range(40)
    )
    message = rendered(job(pictures=(replace(picture(), buttons=buttons),), buttons=()))
    assert len(labels(message)) + len(elements(message)[-1]["options"]) == 40


def test_the_same_action_twice_becomes_one_button() -> None:
    twice = Button(label="Approve", action=f"approve:{ASSET}")
    assert labels(rendered(job(buttons=(twice, twice)))) == ["Approve"]


def test_a_picture_that_is_not_in_slack_yet_leaves_its_facts_and_buttons() -> None:
    message = rendered(done(1), files={})
    assert "image" not in kinds(message)
    assert "Share" in labels(message)


def test_what_failed_the_brand_check_says_so_and_why() -> None:
    message = rendered(
        job(state="done", status="Done. None pass", pictures=(picture(ok=False),), progress=None)
    )
    assert "❌ *Brand check failed:* palette" in words(message)
    assert "⚠️ Done. None pass" in words(message)


def test_more_pictures_than_a_message_holds_end_in_a_line_that_says_so() -> None:
    message = rendered(done(40))
    assert len(message.blocks) <= 50
    left = 40 - kinds(message).count("image")
    assert f"{left} more pictures" in words(message)
    assert left > 0


def test_a_failed_job_gives_its_reference_and_a_way_on() -> None:
    again = Button(label="Try again", action=f"reroll:{ASSET}")
    message = rendered(
        job(
            state="failed",
            status="Failed: no answer",
            reference="k3f9",
            buttons=(again,),
            progress=None,
        )
    )
    assert "⚠️ Failed: no answer" in words(message)
    assert "Reference `k3f9`" in words(message)
    assert labels(message) == ["Try again"]


def test_an_approver_reads_the_review_in_order_and_then_decides() -> None:
    message = rendered(REVIEW)
    assert kinds(message)[2] == "image"
    said = words(message)
    order = [
        "*a red mug*",
        "✏️ draft",
        "✅ *Brand check passed*",
        "Mia asks for #social, by Mon 09 Mar 09:00 UTC",
        "Template product · LoRA acme@3",
        "✅ palette 92 %; 95 % wanted",
        "🟦 blue 41 % `#3377dd`",
        "*moderation* not installed",
        "Approve",
    ]
    places = [said.index(part) for part in order]
    assert places == sorted(places)
    assert labels(message) == ["Approve", "Reject…", "Ask for a change…"]
    assert [e["value"] for e in elements(message)] == ["-", "reason", "reason"]
    assert [e.get("style") for e in elements(message)] == ["primary", "danger", None]


def test_an_approver_reads_all_words_that_go_out() -> None:
    line = f"Posted with: “{'x' * 1990}END”"
    assert line in words(rendered(replace(REVIEW, lines=(*REVIEW.lines, line))))


def test_after_the_decision_the_stamp_stands_and_the_buttons_are_gone() -> None:
    decided = replace(
        REVIEW,
        buttons=(),
        stamp="Rejected by Ana, 14:02 UTC: too dark",
        footer="Nothing is posted.",
        state="decided",
    )
    message = rendered(decided)
    assert elements(message) == []
    assert "❌ Rejected by Ana, 14:02 UTC: too dark" in words(message)
    assert words(message).endswith("Nothing is posted.")
    assert "Rejected by Ana" in message.text


def test_the_stamp_of_a_decided_card_stands_there_once() -> None:
    stamp = "Rejected by Ana, 14:02 UTC: too dark"
    [ref] = REVIEW.pictures
    under = replace(ref, caption=f"{stamp} · warmer — seed 42 · 6.1 s")
    decided = replace(REVIEW, buttons=(), stamp=stamp, state="decided", pictures=(under,))
    shown = json.dumps(sent(rendered(decided)))
    assert shown.count(stamp) == 1
    assert "warmer \u2014 seed 42" in shown.replace("\\u2014", "\u2014")


def test_an_approved_picture_is_linked_to_its_page_and_a_draft_is_not() -> None:
    portal = "https://pictures.example.com"
    page = f"<{portal}/pictures/{picture().asset}|in the archive>"
    shown = replace(picture(draft=False), buttons=(), fields=())
    for card in (job(state="done", pictures=(shown,)), replace(REVIEW, pictures=(shown,))):
        said = words(rendered(card, portal=portal))
        assert said.count(page) == 1
        assert f"0.2 ct · {page}" in said
        assert "in the archive" not in words(rendered(card))
    assert "in the archive" not in words(rendered(done(2), portal=portal))
    said = words(rendered(replace(REVIEW, pictures=(shown,)), portal="javascript:alert(1)//"))
    assert "in the archive" not in said


def test_an_error_says_what_why_and_what_to_do() -> None:
    message = rendered(
        Card(
            kind="error",
            title="Please check",
            lines=("`template:prodct` isn't a template of Acme. Did you mean `product`?",),
            fix="Nothing was queued.",
            reference="k3f9",
        )
    )
    assert words(message).splitlines() == [
        "⚠️ *Please check*",
        "`template:prodct` isn't a template of Acme. Did you mean `product`?",
        "Nothing was queued.",
        "Reference `k3f9`",
    ]


def test_a_table_is_lines_that_a_phone_can_show() -> None:
    message = rendered(
        Card(
            kind="list",
            title="Use of Acme",
            columns=("who", "pictures", "device time"),
            rows=(("Mia", "12", "61 s"), ("Ana", "3", "")),
            fields=(Field(label="Acme's budget", value="81 % (81 of 100 pictures)"),),
        )
    )
    assert "*Mia* · pictures 12 · device time 61 s\n*Ana* · pictures 3" in words(message)
    assert "*Acme's budget* 81 %" in words(message)


def test_commands_and_ids_in_a_table_can_be_copied() -> None:
    rows = (("/imagine WORDS", "make a picture"), ("1", "rendering", ASSET))
    message = rendered(Card(kind="list", title="Help", columns=("say", "to"), rows=rows))
    assert "`/imagine WORDS` · make a picture" in words(message)
    assert f"`{ASSET}`" in words(message)


def test_a_long_table_ends_with_how_many_are_left() -> None:
    rows = tuple((str(n), "queued", "Mia", "words " * 8, ASSET) for n in range(500))
    message = rendered(Card(kind="list", title="Queue: 500", columns=("place",), rows=rows))
    assert "440 more" in words(message)
    assert len(message.text) <= 3000


def test_found_pictures_stand_small_beside_their_facts() -> None:
    found = Card(kind="list", title="10 found", pictures=tuple(picture(n) for n in range(1, 11)))
    message = rendered(found)
    assert kinds(message) == ["section", *["section", "actions"] * 10]
    assert all("accessory" in b for b in sent(message)[1::2])
    assert "Share" in labels(message)


def test_one_picture_of_an_answer_stands_large() -> None:
    message = rendered(Card(kind="reply", title="A mug", pictures=(picture(),), draft=True))
    assert "image" in kinds(message)
    assert "✏️ draft" in words(message)


def test_an_example_is_there_to_be_copied() -> None:
    message = rendered(Card(kind="list", title="The queue is empty", hint="/imagine a red mug"))
    assert words(message).endswith("Try `/imagine a red mug`")
    assert "Try /imagine a red mug" in message.text


@pytest.mark.parametrize("verb", [verb.name for verb in VERBS_THAT_ARE])
def test_every_command_that_a_card_names_can_be_typed_in_slack(verb: str) -> None:
    example = example_of(verb, VOCABULARY)
    here = typed_here(example)
    assert here.startswith("/imagine ")
    assert parse(here, vocabulary=VOCABULARY) == parse(example, vocabulary=VOCABULARY)


def test_commands_read_as_they_work_here_and_peoples_words_stay() -> None:
    card = Card(
        kind="reply",
        title="`/find` it",
        lines=("`/find WORDS` searches.", "See https://acme.example/find", "`/nothing` and/find"),
        fix="Undo it with `/unlink slack`, or say `/imagine a mug`.",
        hint="/find mug",
    )
    said = words(rendered(card)).splitlines()
    assert said == [
        "*`/find` it*",
        "`/imagine find WORDS` searches.",
        "See https://acme.example/find",
        "`/nothing` and/find",
        "Undo it with `/imagine /unlink slack`, or say `/imagine a mug`.",
        "Try `/imagine find mug`",
    ]


def test_a_mistake_names_commands_as_they_work_here() -> None:
    with pytest.raises(Mistake) as found:
        parse("/foo", vocabulary=VOCABULARY)
    said = words(rendered(error_card(found.value)))
    assert "`/foo` isn't a command. There is /imagine, /imagine /vary, " in said
    assert " /vary" not in said.replace("/imagine /vary", "")
    typed = replace(error_card(found.value), lines=("You typed `/imagine a /find sign`.",))
    assert "`/imagine a /find sign`" in words(rendered(typed))
    invite = replace(typed, fix="Type `/invite @Housestyle` in that channel.")
    assert "Type `/invite @Housestyle` in" in words(rendered(invite))


def test_pictures_that_find_no_room_are_shown_by_a_command_that_works_here() -> None:
    message = rendered(job(pictures=tuple(picture(n) for n in range(1, 61))))
    assert "more pictures: `/imagine show` and the job's id" in words(message)


def test_help_on_a_command_is_headed_as_it_is_typed() -> None:
    assert words(rendered(help_card("find", VOCABULARY))).startswith("*/imagine find WORDS")
    assert words(rendered(job(title="/find a mug"))).startswith("*/find a mug*")


def test_a_post_is_the_picture_and_its_words_alone() -> None:
    post = Card(kind="post", title="Tea for two", pictures=(picture(draft=False),))
    message = rendered(post)
    assert kinds(message) == ["image", "section"]
    assert words(message) == "Tea for two"


def test_each_blob_is_asked_for_once_with_its_alt_text() -> None:
    card = replace(done(2), pictures=(picture(1), picture(1), picture(2)))
    assert [blob for blob, _ in blobs_of(card)] == ["blob1", "blob2"]
    assert blobs_of(card)[0][1] == picture(1).alt
    shown = job(preview=replace(picture(), blob="blob9"))
    assert [blob for blob, _ in blobs_of(shown)] == ["blob9"]


def test_what_screen_readers_hear_has_the_whole_card() -> None:
    for part in (
        "a red mug (draft)",
        "Mia asks for #social",
        "Acme: a red mug (draft, picture 1)",
        "palette: 92 %: teal 41",
    ):
        assert part in rendered(REVIEW).text


def test_no_other_module_makes_text_objects() -> None:
    folder = Path(__file__).parents[3] / "bot/chat/slack_chat"
    made = [
        file.name
        for file in sorted(folder.rglob("*.py"))
        if "TextObject(" in file.read_text(encoding="utf-8")
    ]
    assert made == ["text.py"]


async def test_whatever_the_house_says_can_be_said_in_slack() -> None:
    for card in await all_it_says(VOCABULARY):
        files = {blob: "F0123ABCD" for blob, _ in blobs_of(card)}
        for known in (files, {}):
            assert rendered(card, files=known).text.strip("—")


CARD = any_card(
    assets=st.text("abc", min_size=1, max_size=22),
    blobs=("blob1", "blob2", "F0PREVIEW1", "elsewhere"),
    actions=st.text("abc:", min_size=1, max_size=100),
    most_buttons=30,
    most_pictures=8,
)


def check_any(card: Card) -> None:
    message = rendered(card)
    blocks = sent(message)
    assert message.text.strip()
    assert pings(message.text, blocks) == []
    assert "<" not in message.text
    json.dumps(blocks, ensure_ascii=False).encode()


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(card=CARD)
def test_any_card_with_any_words_is_a_message_that_slack_takes(card: Card) -> None:
    check_any(card)


@pytest.mark.deep
@settings(
    max_examples=1000,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(card=CARD)
def test_thousands_of_cards_are_messages_that_slack_takes(card: Card) -> None:
    check_any(card)
