"""Cards of any words at all, for hypothesis: what a chat draws holds whatever stands in them."""

from collections.abc import Sequence

from hypothesis import strategies as st

from bot.core.messages import Button, Card, Field, PictureRef, Style, Swatch

ANY = st.text(max_size=60) | st.text(min_size=1, max_size=8).map(lambda text: text * 400)
"""Short words, and very long ones."""
SHORT = st.text(max_size=30)
KINDS = ("job", "review", "post", "reply", "list", "error", "file", "else")
SWATCHES = st.lists(
    st.builds(Swatch, name=SHORT, hex=SHORT | st.just("#0f7c7c"), share=st.floats(0, 1)), max_size=3
).map(tuple)
FIELDS = st.lists(
    st.builds(
        Field, label=ANY, value=ANY, swatches=SWATCHES, ok=st.sampled_from([None, True, False])
    ),
    max_size=12,
).map(tuple)


def any_card(
    *,
    assets: st.SearchStrategy[str],
    blobs: Sequence[str],
    actions: st.SearchStrategy[str],
    most_buttons: int,
    most_pictures: int,
) -> st.SearchStrategy[Card]:
    """Any card whose pictures are of these assets and blobs, and whose buttons do these actions."""
    buttons = st.lists(
        st.builds(
            Button,
            label=ANY,
            action=actions,
            style=st.sampled_from(Style),
            icon=st.sampled_from(["", "vary", "approve", "nothing"]),
            asks=st.sampled_from(["", "reason", "words", "reference", "else"]),
        ),
        max_size=most_buttons,
    ).map(tuple)
    picture = st.builds(
        PictureRef,
        asset=assets,
        blob=st.sampled_from(blobs),
        alt=ANY,
        width=st.just(64),
        height=st.just(64),
        number=st.integers(0, 99),
        draft=st.booleans(),
        buttons=buttons,
        fields=FIELDS,
        caption=ANY,
    )
    return st.builds(
        Card,
        kind=st.sampled_from(KINDS),
        title=ANY,
        lines=st.lists(ANY, max_size=8).map(tuple),
        state=SHORT | st.sampled_from(["queued", "rendering", "done", "paused"]),
        status=ANY,
        progress=st.none() | st.floats(-1, 2),
        pictures=st.lists(picture, max_size=most_pictures).map(tuple),
        preview=st.none() | picture,
        fields=FIELDS,
        buttons=buttons,
        stamp=ANY,
        footer=ANY,
        draft=st.booleans(),
        rows=st.lists(st.lists(ANY, max_size=6).map(tuple), max_size=8).map(tuple),
        columns=st.lists(SHORT, max_size=6).map(tuple),
        reference=ANY,
        fix=ANY,
        hint=ANY,
    )
