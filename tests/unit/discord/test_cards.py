"""Cards as people meet them in Discord: every kind, in every state, with any words."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.chat.discord_chat.rendering.cards import Rendered, marker_ids, pictures_of
from bot.chat.discord_chat.rendering.cards import rendered as draw
from bot.chat.discord_chat.rendering.limits import every, written
from bot.chat.discord_chat.rendering.page import SPARE_TEXT, Page
from bot.chat.discord_chat.rendering.text import Marked
from bot.core.messages import Button, Card, Field, PictureRef, Style, Swatch
from tests.fakes.any_card import any_card
from tests.fakes.discord.components import check
from tests.fakes.discord.schema import complaints_of_request
from tests.fakes.discord_reading import action_of, acts, contents, links, pings, seen, strings

ASSET = "0Ab1Cd2Ef3Gh4Ij5Kl6Mn7"
MARKER = "7nM6lK5jI4hG3fE2dC1bA0"
SEND = "/channels/{channel_id}/messages"
SHOWN = {f"blob{n}": f"picture-{n}.png" for n in range(100)}
PORTAL = "http://localhost:8000/jobs/1"
VERBS = (
    ("Share", "share", Style.PRIMARY, "", ""),
    ("Use", "use", Style.QUIET, "", ""),
    ("Vary", "vary", Style.QUIET, "", ""),
    ("Vary strongly", "vary", Style.QUIET, "", ":strong"),
    ("Upscale", "upscale", Style.QUIET, "", ""),
    ("Extend", "extend", Style.QUIET, "", ""),
    ("Re-roll", "reroll", Style.QUIET, "", ""),
    ("Edit words", "edit", Style.QUIET, "words", ""),
    ("Use as reference", "reference", Style.QUIET, "reference", ""),
    ("Send to approval for #social", "send", Style.QUIET, "", ":#social"),
    ("Cancel", "withdraw", Style.QUIET, "", ""),
)


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
            Button(label=label, action=f"{verb}:{asset}{extra}", style=style, asks=asks)
            for label, verb, style, asks, extra in VERBS
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
            Button(label="Pause", action=f"pause_job:{ASSET}", icon="pause"),
            Button(label="Cancel", action=f"cancel:{ASSET}", icon="cancel"),
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
    lines=("Mia asks for #social, by Mon 09 Mar 09:00 UTC", "Template product · LoRA acme 3"),
    state="open",
    status="Brand check: palette 92 % · sharp",
    pictures=(replace(picture(), buttons=(), fields=()),),
    fields=picture().fields,
    buttons=(
        Button(label="Approve", action=f"approve:{ASSET}", style=Style.PRIMARY, icon="approve"),
        Button(label="Reject…", action=f"reject:{ASSET}", style=Style.DANGER, asks="reason"),
        Button(label="Ask for a change…", action=f"change:{ASSET}", asks="reason"),
    ),
    draft=True,
)


def rendered(card: Card, **given: Any) -> Rendered:
    """The message, which the local Discord and Discord's own description both take."""
    given = {"link": lambda _thing: PORTAL, **given}
    message = draw(card, shown=given.pop("shown", SHOWN), **given)
    components = list(message.components)
    check(components, v2=True)
    body = {"flags": message.flags, "components": components}
    assert complaints_of_request("POST", SEND, body, {}) == []
    return message


def parts(message: Rendered, kind: int) -> list[dict[str, Any]]:
    return [dict(part) for part in every(message.components) if part["type"] == kind]


def words(message: Rendered) -> str:
    """What a person reads from top to bottom."""
    return "\n".join(contents(message.components))


def labels(message: Rendered) -> list[str]:
    return [part["label"] for part in parts(message, 2)]


def gallery(message: Rendered) -> list[dict[str, Any]]:
    return [item for part in parts(message, 12) for item in part["items"]]


def chosen(message: Rendered) -> dict[str, str]:
    """What each menu's options carry, by label."""
    options = [option for menu in parts(message, 3) for option in menu["options"]]
    return {option["label"]: option["value"] for option in options}


def test_a_queued_job_says_its_place_and_can_be_cancelled() -> None:
    message = rendered(job())
    assert words(message).splitlines() == [
        "**a red mug on a wooden table**",
        "-# Mia · Acme · template product",
        "⏳ Queued, 3rd in line, about 40 s. I'll update this message.",
    ]
    assert labels(message) == ["Pause", "Cancel"]
    assert [part["custom_id"] for part in parts(message, 2)] == [
        f"do:pause_job:{ASSET}",
        f"do:cancel:{ASSET}",
    ]
    assert "Queued, 3rd in line" in message.text


def test_a_running_job_shows_a_bar_and_what_the_picture_looks_like_so_far() -> None:
    preview = replace(picture(7), buttons=(), fields=())
    running = job(
        state="rendering", status="Rendering 1 of 2 · 45 %", progress=0.45, preview=preview
    )
    message = rendered(running)
    assert "`▰▰▰▰▰▱▱▱▱▱▱▱`" in words(message)
    assert words(message).count("45 %") == 1
    assert [item["media"]["url"] for item in gallery(message)] == ["attachment://picture-7.png"]
    assert pictures_of(running) == (("blob7", preview.alt),)
    assert "▱` 45 %" in words(rendered(replace(running, status="Rendering 1 picture")))


def test_a_lone_picture_has_every_action_as_a_button_in_rows_of_five() -> None:
    message = rendered(done(1))
    assert labels(message) == [label for label, *_ in VERBS]
    assert [len(row["components"]) for row in parts(message, 1)] == [5, 5, 1]
    assert parts(message, 3) == []
    asks = {part["label"]: action_of(part["custom_id"])[0] for part in parts(message, 2)}
    assert (asks["Edit words"], asks["Use as reference"], asks["Use"]) == ("words", "reference", "")


@pytest.mark.parametrize("count", range(2, 11))
def test_each_of_several_pictures_has_a_button_that_shows_it_with_all_its_own(count: int) -> None:
    message = rendered(done(count))
    assert parts(message, 3) == [], "what was chosen in a menu can't be chosen again in Discord"
    opening = {p["label"]: p["custom_id"] for p in parts(message, 2) if "…" in p["label"]}
    assert opening == {f"Picture {n}…": f"do:show:{picture(n).asset}" for n in range(1, count + 1)}
    assert [item["description"] for item in gallery(message)] == [
        f"Acme: a red mug (draft, picture {n})" for n in range(1, count + 1)
    ]
    said = words(message)
    assert all(f"**{n}** · ✏️ draft · ✅ **Brand check passed**" in said for n in range(1, count))


@pytest.mark.parametrize(
    ("count", "verbs"), [(2, ("Vary", "Upscale")), (5, ("Vary", "Upscale")), (10, ("Vary",))]
)
def test_what_is_pressed_most_stands_as_numbered_buttons_where_there_is_room(
    count: int, verbs: tuple[str, ...]
) -> None:
    message = rendered(done(count))
    quick = [f"{verb} {n}" for verb in verbs for n in range(1, count + 1)]
    assert labels(message) == [*quick, *(f"Picture {n}…" for n in range(1, count + 1))]


def test_pictures_with_buttons_for_something_else_have_them_in_menus() -> None:
    slot = Button(label="Skip", action=f"skip:{ASSET[:-1]}9")
    pictures = tuple(replace(picture(n), buttons=(*picture(n).buttons, slot)) for n in (1, 2))
    message = rendered(replace(done(2), pictures=pictures))
    menus = parts(message, 3)
    assert [menu["placeholder"] for menu in menus] == ["Picture 1…", "Picture 2…"]
    carried = [action_of(option["value"]) for option in menus[0]["options"]]
    assert carried == [(each.asks, each.action) for each in pictures[0].buttons]


def test_ten_pictures_with_ten_more_buttons_find_room_under_one_text() -> None:
    own = tuple(Button(label=f"b{n}", action=f"show:{ASSET[:-2]}x{n}") for n in range(10))
    message = rendered(replace(done(10), buttons=own))
    shown = [f"Picture {n}…" for n in range(1, 11)]
    assert labels(message) == [*shown, *(f"b{n}" for n in range(10))]
    assert "**10** · ✏️ draft" in words(message)


def test_more_pictures_than_a_gallery_holds_end_in_a_line_with_a_link() -> None:
    message = rendered(done(40))
    assert len(gallery(message)) == 10
    assert f"-# 30 more pictures: [the portal has them all]({PORTAL})." in words(message)
    assert len(pictures_of(done(40))) == 10


def test_a_kit_with_forty_channels_loses_no_button() -> None:
    buttons = tuple(Button(label=f"Send to #c{n}", action=f"send:{ASSET}:#c{n}") for n in range(40))
    message = rendered(job(pictures=(replace(picture(), buttons=buttons),), buttons=()))
    assert sorted([*labels(message), *chosen(message)]) == sorted(b.label for b in buttons)


def test_a_channel_too_long_for_a_button_is_told_as_the_command_that_does_it() -> None:
    name = "#" + "x" * 90
    button = Button(label="Send to approval", action=f"send:{ASSET}:{name}")
    message = rendered(job(buttons=(button,)))
    assert labels(message) == []
    assert f"-# Send to approval: `/housestyle line:send {ASSET} {name}`" in words(message)


def test_a_note_of_many_lines_takes_no_more_than_its_room() -> None:
    page = Page([], [])
    page.note(Marked("a\n" * 100))
    [note] = [item.to_component_dict() for item in page.items()]
    assert written([note]) <= SPARE_TEXT


def test_the_same_action_twice_becomes_one_button() -> None:
    twice = Button(label="Approve", action=f"approve:{ASSET}")
    assert labels(rendered(job(buttons=(twice, twice)))) == ["Approve"]


def test_a_picture_too_large_to_attach_is_told_of_and_linked() -> None:
    message = rendered(done(2), shown={"blob1": "one.png"})
    assert [item["media"]["url"] for item in gallery(message)] == ["attachment://one.png"]
    assert f"Not shown here: [see it in the portal]({PORTAL})." in words(message)
    assert f"do:show:{picture(2).asset}" in strings(message.components)
    bare = draw(done(1), shown={})
    assert "Not shown here: see it in the portal." in words(bare)


def test_what_failed_the_brand_check_says_so_and_why() -> None:
    card = job(state="done", status="Done. None pass", pictures=(picture(ok=False),), progress=None)
    said = words(rendered(card))
    assert "❌ **Brand check failed:** palette" in said
    assert "⚠️ Done. None pass" in said


def test_an_approver_reads_the_review_in_order_and_then_decides() -> None:
    message = rendered(REVIEW)
    said = words(message)
    order = [
        "**a red mug**",
        "✏️ draft",
        "✅ **Brand check passed**",
        "Mia asks for #social, by Mon 09 Mar 09:00 UTC",
        "Template product · LoRA acme 3",
        "✅ palette 92 %; 95 % wanted",
        "🟦 blue 41 % `#3377dd`",
        "**moderation** not installed",
    ]
    places = [said.index(part) for part in order]
    assert places == sorted(places)
    kinds = [part["type"] for part in message.components[0]["components"]]
    assert kinds == [10, 12, 10, 10, 10, 1]
    assert labels(message) == ["Approve", "Reject…", "Ask for a change…"]
    assert [part["style"] for part in parts(message, 2)] == [3, 4, 2]
    assert [action_of(part["custom_id"])[0] for part in parts(message, 2)] == [
        "",
        "reason",
        "reason",
    ]


def test_an_approver_reads_all_words_that_go_out() -> None:
    caption = "x*" * 498 + "END"
    message = rendered(replace(REVIEW, lines=(*REVIEW.lines, f"Posted with: “{caption}”")))
    assert caption in seen(words(message))


def test_after_the_decision_the_stamp_stands_once_and_the_buttons_are_gone() -> None:
    stamp = "Rejected by Ana, 14:02 UTC: too dark"
    [ref] = REVIEW.pictures
    under = replace(ref, caption=f"{stamp} · warmer — seed 42 · 6.1 s")
    decided = replace(
        REVIEW, buttons=(), stamp=stamp, pictures=(under,), footer="Nothing is posted."
    )
    message = rendered(decided)
    assert labels(message) == []
    assert parts(message, 3) == []
    assert words(message).endswith(f"❌ {stamp}\n-# Nothing is posted.")
    assert words(message).count(stamp) == 1
    assert stamp in message.text


def test_an_approved_picture_is_linked_to_its_page_and_a_draft_is_not() -> None:
    shown = replace(picture(draft=False), buttons=(), fields=())
    page = f"[in the archive](https://house.test/pictures/{shown.asset})"

    def link(thing: Card | PictureRef) -> str:
        assert isinstance(thing, PictureRef)
        return f"https://house.test/pictures/{thing.asset}"

    for card in (job(state="done", pictures=(shown,)), replace(REVIEW, pictures=(shown,))):
        assert f"0.2 ct · {page}" in words(rendered(card, link=link))
        assert "in the archive" not in words(rendered(card, link=None))
    assert "in the archive" not in words(rendered(done(1), link=link))


def test_an_error_says_what_why_and_what_to_do() -> None:
    card = Card(
        kind="error",
        title="Please check",
        lines=("`template:prodct` isn't a template of Acme. Did you mean `product`?",),
        fix="Nothing was queued.",
        reference="k3f9",
    )
    assert words(rendered(card)).splitlines() == [
        "⚠️ **Please check**",
        "`template:prodct` isn't a template of Acme. Did you mean `product`?",
        "Nothing was queued.",
        "-# Reference `k3f9`",
    ]


def test_a_table_is_lines_that_a_phone_can_show() -> None:
    card = Card(
        kind="list",
        title="Use of Acme",
        columns=("who", "pictures", "device time"),
        rows=(("Mia", "12", "61 s"), ("Ana", "3", "")),
        fields=(Field(label="Acme's budget", value="81 % (81 of 100 pictures)"),),
    )
    said = words(rendered(card))
    assert "**Mia** · pictures 12 · device time 61 s\n**Ana** · pictures 3" in said
    assert "**Acme's budget** 81 %" in said


def test_a_long_table_is_cut_and_names_the_command_that_shows_the_rest() -> None:
    rows = tuple((str(n), "queued", "Mia", "words " * 8, ASSET) for n in range(500))
    said = words(rendered(Card(kind="list", title="Queue: 500", columns=("place",), rows=rows)))
    shown = said.count(f"`{ASSET}`")
    assert f"-# {500 - shown} more: `/show` and an id shows one, [the portal has" in said
    assert shown > 20


def test_commands_read_as_they_work_in_discord_and_peoples_words_stay() -> None:
    card = Card(
        kind="reply",
        title="`/find` it",
        lines=(
            "`/find WORDS` searches; `/queue` waits.",
            "Say `/usage --brand acme` or `/vary ID strong`.",
            "`/nothing` and/find",
        ),
        fix="Undo it with `/unlink slack`, or say `/imagine a mug --ar 1:1`.",
        hint="/find mug",
    )
    assert words(rendered(card)).splitlines()[1:] == [
        "`/find words: WORDS` searches; `/queue` waits.",
        "Say `/housestyle line:usage --brand acme` or `/housestyle line:vary ID strong`.",
        "`/nothing` and/find",
        "Undo it with `/housestyle line:unlink slack`, or say `/imagine prompt: a mug --ar 1:1`.",
        "Try `/find words: mug`",
    ]
    assert words(rendered(job(title="/find a mug"))).startswith("**/find a mug**")


def test_a_message_carries_its_outgoing_id_where_nobody_sees_it() -> None:
    message = rendered(REVIEW, marker=MARKER)
    [container] = message.components
    first = container["components"][0]
    assert (container["id"], first["id"]) == marker_ids(MARKER)
    assert MARKER not in json.dumps(message.components)
    assert words(message) == words(rendered(REVIEW))
    assert marker_ids(MARKER) != marker_ids(MARKER[::-1])
    assert "id" not in rendered(REVIEW).components[0]


@given(marker=st.text(max_size=30))
def test_the_two_hidden_ids_differ_and_have_31_bits(marker: str) -> None:
    first, second = marker_ids(marker)
    assert first != second
    assert 0 < min(first, second) <= max(first, second) < 2**31


def test_each_blob_goes_along_once_with_its_alt_text() -> None:
    card = replace(done(2), pictures=(picture(1), picture(1), picture(2)))
    assert pictures_of(card) == (("blob1", picture(1).alt), ("blob2", picture(2).alt))


def test_a_message_is_all_components() -> None:
    assert rendered(job()).flags == 1 << 15


ASSETS = st.sampled_from([ASSET, ASSET[::-1], ASSET[:-2] + "99"])
ACTIONS = st.builds(
    lambda verb, key, extra: f"{verb}:{key}{extra}",
    st.sampled_from(["vary", "upscale", "send", "show"]),
    ASSETS,
    st.just("") | st.text(max_size=90).map(lambda extra: f":{extra}"),
)
CARD = any_card(
    assets=ASSETS,
    blobs=("blob1", "blob2", "elsewhere"),
    actions=ACTIONS | st.text(max_size=100),
    most_buttons=40,
    most_pictures=13,
)


def check_any(card: Card) -> None:
    message = rendered(card, marker=MARKER)
    json.dumps(message.components, ensure_ascii=False).encode()
    assert pings(message.text) == []
    assert acts(message.text) == []
    assert len(message.text) <= 2000
    for text in contents(message.components):
        assert pings(text) == []
        assert set(links(text)) <= {PORTAL}
    for part in every(message.components):
        if part["type"] == 2:
            action_of(part["custom_id"])


UNHURRIED = (HealthCheck.too_slow, HealthCheck.data_too_large)


@settings(max_examples=25, deadline=None, suppress_health_check=UNHURRIED)
@given(card=CARD)
def test_any_card_with_any_words_is_a_message_that_discord_takes(card: Card) -> None:
    check_any(card)


@pytest.mark.deep
@settings(max_examples=1000, deadline=None, suppress_health_check=UNHURRIED)
@given(card=CARD)
def test_thousands_of_cards_are_messages_that_discord_takes(card: Card) -> None:
    check_any(card)
