"""Stored tokens are sealed: for their own workspace, with a key that is nowhere beside them."""

import base64

import pytest

from bot.chat.slack_chat.installing.pairs import Pair, opened, sealed
from bot.chat.slack_chat.installing.vault import Unsealable, Vault, new_key
from bot.core.errors import ChatRejected, Mistake
from tests.contract.values import make_install

CANARY = "xoxe.xoxb-canary-0123456789"


def test_a_sealed_text_opens_for_what_it_was_sealed_about_and_shows_nothing() -> None:
    vault = Vault([new_key()])
    held = vault.seal(CANARY, about="slack//T1")
    assert vault.open(held, about="slack//T1") == CANARY
    assert CANARY not in held
    assert vault.seal(CANARY, about="slack//T1") != held
    for other in ("slack//T2", "slack/E1/T1", "discord//T1", ""):
        with pytest.raises(Unsealable, match="moved from another workspace"):
            vault.open(held, about=other)


def test_no_changed_character_opens() -> None:
    vault = Vault([new_key()])
    held = vault.seal("xoxb-1", about="T1")
    for place, letter in enumerate(held):
        changed = held[:place] + ("B" if letter != "B" else "C") + held[place + 1 :]
        if _decoded(changed) != _decoded(held):
            with pytest.raises(Unsealable):
                vault.open(changed, about="T1")


def _decoded(held: str) -> tuple[str, bytes]:
    """The last letter of base64 has bits that say nothing."""
    head, _, body = held.rpartition(".")
    try:
        return head, base64.b64decode(body, altchars=b"-_", validate=True)
    except ValueError:
        return held, b""


@pytest.mark.parametrize("held", ["", ".", "..", "1.", "1..", "2.aaaa.bbbb", "1.x.ü", "plain"])
def test_what_no_vault_sealed_does_not_open(held: str) -> None:
    with pytest.raises(Unsealable):
        Vault([new_key()]).open(held, about="T1")


def test_a_new_key_seals_while_the_earlier_one_still_opens() -> None:
    old, new = new_key(), new_key()
    before = Vault([old]).seal("xoxb-1", about="T1")
    both = Vault([new, old])
    assert both.open(before, about="T1") == "xoxb-1"
    assert not both.is_current(before)
    after = both.seal("xoxb-1", about="T1")
    assert both.is_current(after)
    assert Vault([new]).open(after, about="T1") == "xoxb-1"
    with pytest.raises(Unsealable, match=r"slack\.token_key") as refused:
        Vault([new]).open(before, about="T1")
    assert "earlier key" in refused.value.fix
    assert old not in str(refused.value)


@pytest.mark.parametrize("key", ["", "short", "ü" * 32, "a" * 42, "a" * 44, "*" * 43])
def test_a_key_that_is_none_is_refused_with_the_command_that_makes_one(key: str) -> None:
    with pytest.raises(Mistake) as refused:
        Vault([key])
    assert "housestyle slack key" in refused.value.fix
    with pytest.raises(Mistake):
        Vault([])


def test_every_key_is_another_and_fits_into_the_settings() -> None:
    keys = {new_key() for _ in range(50)}
    assert len(keys) == 50
    assert all(len(key) == 43 and "," not in key and "=" not in key for key in keys)


def test_the_tokens_of_one_row_do_not_open_in_another() -> None:
    vault, install = Vault([new_key()]), make_install()
    pair = Pair(token=CANARY, refresh="xoxe-1-canary")
    held = sealed(vault, install, pair)
    assert opened(vault, make_install(sealed=held)) == pair
    assert "canary" not in repr(pair)
    for moved in (make_install(sealed=held, team="T2"), make_install(sealed=held, enterprise="E")):
        with pytest.raises(Unsealable):
            opened(vault, moved)
    with pytest.raises(ChatRejected, match="not in Acme"):
        opened(vault, make_install(sealed=""))
    odd = vault.seal('{"colour": 1}', about="slack//T1")
    with pytest.raises(Unsealable, match="another version"):
        opened(vault, make_install(sealed=odd))
