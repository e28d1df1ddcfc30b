"""The vocabulary of a small invented brand, with something of every kind in it."""

from bot.core.vocabulary import Range, Vocabulary
from brand.kit import ApprovedLora, Channel, Template, Variable

VOCABULARY = Vocabulary(
    brand="Acme",
    templates=(
        Template(
            name="product",
            text="a [COLOR] [PRODUCT] [PLACE]",
            variables=(
                Variable(name="PRODUCT", values=("mug", "gift box", "gift")),
                Variable(name="COLOR", values=("red", "deep teal", "purple"), default="red"),
                Variable(name="PLACE", values=("on a wooden table", "on the beach"), default=""),
            ),
        ),
        Template(
            name="poster",
            text="a poster that says [HEADLINE], [WORDS]",
            variables=(Variable(name="HEADLINE"),),
        ),
        Template(name="plain", text="a plain picture"),
    ),
    samplers=("dpmpp_2m_karras", "ddim", "euler"),
    loras=(
        ApprovedLora(name="acme", version="3", sha256="a" * 64, min_weight=0.2, max_weight=1.2),
        ApprovedLora(name="sketch", version="1", sha256="b" * 64),
    ),
    lora_default="acme",
    aspects=("1:1", "4:5", "3:2"),
    channels=(
        Channel(name="#social", audience="public"),
        Channel(name="#drafts", audience="working", id="C42"),
    ),
    controls=("canny", "depth"),
    recipes=("scene",),
    brands=("acme", "beta"),
    n=Range(low=1, high=8),
    steps=Range(low=1, high=50),
    cfg=Range(low=0, high=12),
)
ID = "0Ab1Cd2Ef3Gh4Ij5Kl6Mn7"
OTHER_ID = "7nM6lK5jI4hG3fE2dC1bA0"
SHA = "c" * 64
