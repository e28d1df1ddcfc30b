"""What the fake lets a card be made of: docs.discord.com, components reference."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.fakes.discord.app import FakeDiscord
from tests.fakes.discord.clients import SMALL_PNG, Bare, bare
from tests.fakes.discord_town import DRAFTS, founded

POST = f"/channels/{DRAFTS}/messages"
V2 = 1 << 15


@pytest.fixture
async def fake() -> AsyncIterator[FakeDiscord]:
    """A Discord without limits."""
    async with founded(rates=0) as made:
        yield made


@pytest.fixture
async def ask(fake: FakeDiscord) -> AsyncIterator[Bare]:
    """Bare requests."""
    async with bare(fake) as made:
        yield made


def text(said: str = "x", **more: Any) -> dict[str, Any]:
    """A text display."""
    return {"type": 10, "content": said, **more}


def row(*inner: dict[str, Any]) -> dict[str, Any]:
    """A row."""
    return {"type": 1, "components": list(inner)}


def button(custom_id: str = "do:x", **more: Any) -> dict[str, Any]:
    """A button."""
    return {"type": 2, "style": 1, "label": "Go", "custom_id": custom_id, **more}


def select(values: list[str], **more: Any) -> dict[str, Any]:
    """A select."""
    options = [{"label": value, "value": value} for value in values]
    return {"type": 3, "custom_id": "pick:1", "options": options, **more}


def gallery(*urls: str, alt: str = "a mug") -> dict[str, Any]:
    """A gallery."""
    return {"type": 12, "items": [{"media": {"url": u}, "description": alt} for u in urls]}


def container(*inner: dict[str, Any]) -> dict[str, Any]:
    """A container."""
    return {"type": 17, "components": list(inner)}


GOOD: dict[str, list[dict[str, Any]]] = {
    "forty parts": [container(*[text() for _ in range(39)])],
    "4000 characters": [text("x" * 2000), container(text("y" * 2000))],
    "five buttons": [row(*[button(f"do:{n}") for n in range(5)])],
    "25 options": [row(select([str(n) for n in range(25)]))],
    "an emoji for a label": [
        row({"type": 2, "style": 2, "custom_id": "a", "emoji": {"name": "✅"}})
    ],
    "a picture from elsewhere": [gallery("https://example.org/a.png")],
    "the largest id": [text(id=(1 << 31) - 1)],
}
BAD: dict[str, list[dict[str, Any]]] = {
    "forty-one parts": [container(*[text() for _ in range(40)])],
    "4001 characters": [text("x" * 2000), container(text("y" * 2001))],
    "six buttons": [row(*[button(f"do:{n}") for n in range(6)])],
    "an empty row": [row()],
    "26 options": [row(select([str(n) for n in range(26)]))],
    "an option twice": [row(select(["a", "a"]))],
    "a select and a button": [row(select(["a"]), button())],
    "a custom id twice": [row(button()), row(button())],
    "a custom id of 101": [row(button("x" * 101))],
    "no custom id": [row({"type": 2, "style": 1, "label": "Go"})],
    "a label of 81": [row(button(label="x" * 81))],
    "no label": [row({"type": 2, "style": 1, "custom_id": "a"})],
    "a link with a custom id": [row(button(style=5, url="https://example.org/"))],
    "an id twice": [text(id=5), text(id=5)],
    "an id of 32 bits": [text(id=1 << 31)],
    "eleven pictures": [gallery(*[f"https://example.org/{n}.png" for n in range(11)])],
    "no picture": [gallery()],
    "alt text of 1025": [gallery("https://example.org/a.png", alt="x" * 1025)],
    "empty alt text": [gallery("https://example.org/a.png", alt="")],
    "a picture that is not in the request": [gallery("attachment://b.png")],
    "a picture by another scheme": [gallery("ftp://example.org/a.png")],
    "an empty text": [text("")],
    "an empty container": [container()],
    "a container in a container": [container(container(text()))],
    "a button outside of a row": [button()],
}


@pytest.mark.parametrize("name", GOOD)
async def test_a_card_within_the_rules_is_taken(fake: FakeDiscord, ask: Bare, name: str) -> None:
    answered = await ask("POST", POST, {"flags": V2, "components": GOOD[name]})
    assert answered.status == 200, answered.body
    assert fake.violations == []


@pytest.mark.parametrize("name", BAD)
async def test_a_card_that_breaks_a_rule_is_an_invalid_form(
    fake: FakeDiscord, ask: Bare, name: str
) -> None:
    answered = await ask("POST", POST, {"flags": V2, "components": BAD[name]})
    assert (answered.status, answered.code) == (400, 50035)
    assert len(fake.violations) == 1
    assert fake.messages(DRAFTS) == []


@pytest.mark.parametrize(
    "body",
    [
        {"flags": V2, "components": [text()], "content": "x"},
        {"flags": V2, "components": [text()], "embeds": [{"title": "x"}]},
        {"components": [text()]},
        {"components": [row(button(str(n))) for n in range(6)]},
    ],
)
async def test_content_and_components_keep_apart(ask: Bare, body: dict[str, Any]) -> None:
    assert (await ask("POST", POST, body)).code == 50035


async def test_an_attachment_resolves_among_what_is_brought_or_kept(
    fake: FakeDiscord, ask: Bare
) -> None:
    card = {"flags": V2, "components": [gallery("attachment://a.png")]}
    sent = (await ask("POST", POST, card, files=[("a.png", SMALL_PNG)])).body
    here = f"{POST}/{sent['id']}"
    assert sent["attachments"] == []
    kept = {**card, "attachments": [{"id": fake.messages(DRAFTS)[0].attachments[0]}]}
    assert (await ask("PATCH", here, kept)).status == 200
    assert (await ask("PATCH", here, {**card, "attachments": []})).code == 50035
    assert len(fake.messages(DRAFTS)[0].versions) == 1


async def test_a_message_turns_to_components_but_not_back(ask: Bare) -> None:
    sent = (await ask("POST", POST, {"content": "wait"})).body
    here = f"{POST}/{sent['id']}"
    card = {"flags": V2, "components": [text()]}
    assert (await ask("PATCH", here, card)).code == 50035  # its content is in the way
    assert (await ask("PATCH", here, {**card, "content": None})).status == 200
    assert (await ask("PATCH", here, {"components": [text("more")]})).body["flags"] & V2
    assert (await ask("PATCH", here, {"content": "again"})).code == 50035
