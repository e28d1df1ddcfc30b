"""A click takes the buttons away at once and leaves all the rest."""

from typing import Any

from bot.chat.slack_chat.rendering.blocks import message_of
from bot.chat.slack_chat.rendering.stripping import stripped
from bot.core.messages import Button, Card, PictureRef
from tests.fakes.slack.blocks import check_message

PICTURE = PictureRef(asset="a1", blob="b1", alt="a mug", width=64, height=64)
CARD = Card(
    kind="review",
    title="A mug",
    lines=("Mia asks for #social",),
    pictures=(PICTURE,),
    buttons=(Button(label="Approve", action="approve:1"),),
    footer="Three more wait.",
    reference="k3f9",
)


def as_slack_gives(card: Card) -> list[dict[str, Any]]:
    """Slack names each block and says more of a picture than it takes."""
    blocks = [b.to_dict() for b in message_of(card, files={"b1": "F0123ABCD"}).blocks]
    for number, block in enumerate(blocks):
        block["block_id"] = f"B{number}"
        if block["type"] == "image":
            block["slack_file"] |= {"url_private": "https://files.example/x.png"}
            block |= {"image_width": 64, "image_height": 64, "image_bytes": 9, "fallback": "x"}
    return blocks


def test_only_the_buttons_go() -> None:
    before = as_slack_gives(CARD)
    after = stripped(before)
    assert [b["type"] for b in before if b["type"] != "actions"] == [b["type"] for b in after]
    assert check_message(after, files=lambda _file: None) == []
    assert "approve" not in str(after)


def test_a_stamp_stands_where_the_buttons_were() -> None:
    before = as_slack_gives(CARD)
    after = stripped(before, stamp="Approved by <!channel>")
    place = [b["type"] for b in before].index("actions")
    assert after[place]["text"]["text"] == "Approved by &lt;!channel&gt;"
    assert check_message(after, files=lambda _file: None) == []


def test_without_buttons_the_stamp_comes_last() -> None:
    assert stripped([{"type": "divider"}], stamp="Done")[-1]["text"]["text"] == "Done"


def test_a_picture_keeps_the_id_of_its_file_alone() -> None:
    [image] = [b for b in stripped(as_slack_gives(CARD)) if b["type"] == "image"]
    assert image["slack_file"] == {"id": "F0123ABCD"}
    assert set(image) == {"type", "block_id", "alt_text", "slack_file"}


def test_what_cannot_be_sent_back_is_left_out() -> None:
    odd: list[dict[str, Any]] = [
        {"type": "image", "alt_text": "x", "image_url": "https://x.example/a.png"},
        {"type": "rich_text", "elements": []},
        {
            "type": "section",
            "text": {"type": "mrkdwn", "text": "x"},
            "accessory": {"type": "button"},
        },
        {"type": "context", "elements": [{"type": "image"}, {"type": "mrkdwn", "text": "y"}]},
        {},
    ]
    assert stripped(odd) == [
        {"type": "section", "text": {"type": "mrkdwn", "text": "x"}},
        {"type": "context", "elements": [{"type": "mrkdwn", "text": "y"}]},
    ]
