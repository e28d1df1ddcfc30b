"""What Slack would refuse is found before it is sent."""

import pytest
from slack_sdk.models.blocks import (
    ActionsBlock,
    Block,
    ButtonElement,
    ContextBlock,
    DividerBlock,
    HeaderBlock,
    ImageBlock,
    MarkdownTextObject,
    Option,
    OverflowMenuElement,
    PlainTextObject,
    SectionBlock,
)
from slack_sdk.models.blocks.basic_components import SlackFile
from slack_sdk.models.views import View

from bot.chat.slack_chat.rendering.limits import (
    MESSAGE_BLOCKS,
    Message,
    Unsendable,
    checked,
    checked_view,
)


def button(action: str, text: str = "Go", value: str = "-") -> ButtonElement:
    return ButtonElement(
        text=PlainTextObject(text=text, emoji=False), action_id=action, value=value
    )


def words(text: str) -> SectionBlock:
    return SectionBlock(text=MarkdownTextObject(text=text))


def message(*blocks: Block, text: str = "hello") -> Message:
    return Message(text=text, blocks=blocks)


GOOD = message(
    words("hello"),
    ImageBlock(alt_text="a mug", slack_file=SlackFile(id="F0123ABCD")),
    ActionsBlock(elements=[button("do:a"), button("do:b")]),
)

REFUSED = {
    "no text beside the blocks": message(words("x"), text=" "),
    "too long a text beside them": message(words("x"), text="x" * 4001),
    "51 blocks": message(*[DividerBlock() for _ in range(51)]),
    "an empty text": message(words("")),
    "3001 characters": message(words("x" * 3001)),
    "3000 emoji": message(words("😀" * 3000)),
    "a header of 151": message(HeaderBlock(text=PlainTextObject(text="x" * 151))),
    "an image from nowhere": message(ImageBlock(alt_text="a mug")),
    "an image without alt text": message(
        ImageBlock(alt_text="", slack_file=SlackFile(id="F0123ABCD"))
    ),
    "too long an alt text": message(
        ImageBlock(alt_text="x" * 2001, slack_file=SlackFile(id="F0123ABCD"))
    ),
    "an action twice": message(
        ActionsBlock(elements=[button("do:a")]), ActionsBlock(elements=[button("do:a")])
    ),
    "no action id": message(ActionsBlock(elements=[button("")])),
    "26 buttons": message(ActionsBlock(elements=[button(f"do:{n}") for n in range(26)])),
    "a long label": message(ActionsBlock(elements=[button("do:a", text="x" * 76)])),
    "a label of wide emoji": message(ActionsBlock(elements=[button("do:a", text="😀" * 40)])),
    "a long value": message(ActionsBlock(elements=[button("do:a", value="x" * 2001)])),
    "no elements": message(ActionsBlock(elements=[])),
    "6 options": message(
        ActionsBlock(
            elements=[
                OverflowMenuElement(
                    action_id="more:a",
                    options=[Option(text=f"o{n}", value=str(n)) for n in range(6)],
                )
            ]
        )
    ),
    "an option's long value": message(
        ActionsBlock(
            elements=[
                OverflowMenuElement(action_id="more:a", options=[Option(text="o", value="x" * 151)])
            ]
        )
    ),
    "a long context": message(ContextBlock(elements=[MarkdownTextObject(text="x" * 2001)])),
    "two blocks of one id": message(DividerBlock(block_id="a"), DividerBlock(block_id="a")),
    "too much in all": message(*[words("x" * 2900) for _ in range(4)]),
}


def test_what_is_within_the_limits_is_given_back() -> None:
    assert checked(GOOD) is GOOD
    full = message(*[DividerBlock() for _ in range(MESSAGE_BLOCKS)])
    assert checked(full) is full


@pytest.mark.parametrize("problem", REFUSED)
def test_a_message_that_slack_would_refuse_is_refused_here(problem: str) -> None:
    with pytest.raises(Unsendable) as caught:
        checked(REFUSED[problem])
    assert caught.value.message.startswith("Slack would not take this message: ")
    assert "admin" in caught.value.fix


def home(*blocks: Block, metadata: str = "") -> View:
    return View(type="home", blocks=blocks, private_metadata=metadata)


def test_a_view_has_up_to_a_hundred_blocks() -> None:
    full = home(*[DividerBlock() for _ in range(100)])
    assert checked_view(full) is full
    for view in (
        home(),
        home(*[DividerBlock() for _ in range(101)]),
        home(words("x"), metadata="x" * 3001),
        home(words("x"), metadata="😀" * 2000),
        home(ActionsBlock(elements=[button("a"), button("a")])),
        View(type="modal", title="x" * 25, blocks=[words("x")]),
    ):
        with pytest.raises(Unsendable):
            checked_view(view)
