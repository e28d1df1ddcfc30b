"""The kit's tables of rules become values: LoRAs, gates, channels, review, generation, label."""

from brand.kit import (
    ApprovedEmbedding,
    ApprovedLora,
    Aspect,
    Channel,
    GateLimits,
    GenerationDefaults,
    LabelSettings,
    LoraPolicy,
    Motif,
    ReviewPolicy,
)
from brand.kit_reader import (
    NAME,
    NAME_FORM,
    SHA256,
    SHA256_FORM,
    VERSION,
    Section,
)
from brand.spec import MAX_LORAS

LEARNED_WORD = r"[A-Za-z0-9<*][A-Za-z0-9<>*_-]{1,59}"
LEARNED_WORD_FORM = "one word of 2 to 60 letters, digits, hyphens, _, <, > or *"
TEAM = r"[A-Za-z0-9]{0,40}(/[A-Za-z0-9]{0,40})?"
TEAM_FORM = "a workspace like T0123456789 or E0123456789/T0123456789"
MOST_MB = 1000
MODEL = r"[A-Za-z0-9][A-Za-z0-9._/-]{0,99}"


def build_lora_policy(section: Section) -> LoraPolicy:
    """[lora] with its [[lora.approved]]."""
    base = LoraPolicy()
    found = LoraPolicy(
        default=section.text("default", ""),
        required=section.flag("required", default=False),
        approved=tuple(_lora(item) for item in section.items("approved")),
        max_together=section.integer("max_together", base.max_together, low=1, high=MAX_LORAS),
        max_weight_together=section.number(
            "max_weight_together", base.max_weight_together, low=0, high=4 * MAX_LORAS
        ),
    )
    section.finish()
    return found


def _lora(item: Section) -> ApprovedLora:
    found = ApprovedLora(
        name=item.text("name", pattern=NAME, form=NAME_FORM),
        version=item.text("version", pattern=VERSION, form='a version like "1"'),
        sha256=item.text("sha256", pattern=SHA256, form=SHA256_FORM),
        weight=item.number("weight", 1.0, low=-4, high=4),
        min_weight=item.number("min_weight", 0.0, low=-4, high=4),
        max_weight=item.number("max_weight", 1.5, low=-4, high=4),
        triggers=item.texts("triggers"),
        dataset_sha256=item.text("dataset_sha256", "", pattern=SHA256, form=SHA256_FORM),
    )
    item.finish()
    return found


def build_embedding(item: Section) -> ApprovedEmbedding:
    """One [[embeddings]] entry."""
    name = item.text("name", pattern=NAME, form=NAME_FORM)
    found = ApprovedEmbedding(
        name=name,
        version=item.text("version", pattern=VERSION, form='a version like "1"'),
        sha256=item.text("sha256", pattern=SHA256, form=SHA256_FORM),
        token=item.text("token", name, pattern=LEARNED_WORD, form=LEARNED_WORD_FORM),
    )
    item.finish()
    return found


def build_gates(section: Section) -> GateLimits:
    """[gates] with its [gates.motif]."""
    motif_section = section.section("motif")
    motif = _motif(motif_section) if "motif" in section else None
    base = GateLimits()
    found = GateLimits(
        min_sharpness=section.number("min_sharpness", base.min_sharpness, low=0, high=1e6),
        min_palette_share=section.number(
            "min_palette_share", base.min_palette_share, low=0, high=1
        ),
        max_delta_e=section.number("max_delta_e", base.max_delta_e, low=0.5, high=100),
        min_near_duplicate_bits=section.integer(
            "min_near_duplicate_bits", base.min_near_duplicate_bits, low=0, high=64
        ),
        min_side=section.integer("min_side", base.min_side, low=1, high=16384),
        max_nsfw=section.number("max_nsfw", base.max_nsfw, low=0, high=1),
        motif=motif,
    )
    section.finish()
    return found


def _motif(section: Section) -> Motif:
    base = Motif()
    found = Motif(
        angle=section.number("angle", base.angle, low=0, high=180),
        tolerance=section.number("tolerance", base.tolerance, low=1, high=45),
        min_share=section.number("min_share", base.min_share, low=0, high=1),
        words=section.text("words", ""),
    )
    section.finish()
    return found


def build_channel(item: Section) -> Channel:
    """One [[channels]] entry."""
    found = Channel(
        name=item.text("name", form="the channel's name, like #social"),
        audience=item.choice("audience", ("public", "working")),
        platform=item.choice("platform", ("local", "slack", "discord"), "local"),
        id=item.text("id", ""),
        team=item.text("team", "", pattern=TEAM, form=TEAM_FORM),
        max_mb=item.integer("max_mb", 0, low=0, high=MOST_MB),
    )
    item.finish()
    return found


def build_review(section: Section) -> ReviewPolicy:
    """[review]."""
    base = ReviewPolicy()
    found = ReviewPolicy(
        may_request=section.texts("may_request", base.may_request),
        may_approve=section.texts("may_approve", base.may_approve),
        quorum=section.integer("quorum", base.quorum, low=1, high=10),
        four_eyes=section.flag("four_eyes", default=base.four_eyes),
        expires_days=section.integer("expires_days", base.expires_days, low=1, high=90),
    )
    section.finish()
    return found


def build_generation(section: Section) -> GenerationDefaults:
    """[generation] with its [generation.aspects]."""
    sampler = section.text("sampler", "dpmpp_2m_karras")
    found = GenerationDefaults(
        model=section.text("model", pattern=MODEL, form="a model of the generation service"),
        model_sha256=section.text("model_sha256", "", pattern=SHA256, form=SHA256_FORM),
        aspects=_aspects(section.section("aspects", required=True)),
        steps=section.integer("steps", 30, low=1, high=200),
        max_steps=section.integer("max_steps", 60, low=1, high=200),
        cfg=section.number("cfg", 7.0, low=0, high=50),
        max_cfg=section.number("max_cfg", 15.0, low=0, high=50),
        sampler=sampler,
        samplers=section.texts("samplers", (sampler,)),
        strength=section.number("strength", 0.6, low=0, high=1),
        count=section.integer("count", 1, low=1, high=64),
        max_count=section.integer("max_count", 4, low=1, high=64),
    )
    section.finish()
    return found


def _aspects(section: Section) -> tuple[Aspect, ...]:
    found = [_aspect(section, name) for name in section.named()]
    if not found:
        section.log.add(
            section.where, "the kit allows no aspect", 'Add one, like "1:1" = [512, 512].'
        )
    return tuple(item for item in found if item) or (Aspect(name="1:1", width=512, height=512),)


def _aspect(section: Section, name: str) -> Aspect | None:
    raw = section.value(name)
    if isinstance(raw, list) and len(raw) == 2 and all(_is_side(side) for side in raw):
        return Aspect(name=name, width=raw[0], height=raw[1])
    section.log.add(
        section.at(name),
        f'the size of "{name}" isn\'t two sides in pixels',
        "Write [width, height], each a multiple of 8 from 64 to 4096.",
    )
    return None


def _is_side(value: object) -> bool:
    if not isinstance(value, int) or isinstance(value, bool):
        return False
    return 64 <= value <= 4096 and value % 8 == 0


def build_label(section: Section) -> LabelSettings:
    """[label]."""
    base = LabelSettings()
    found = LabelSettings(
        prompt_in_published_file=section.flag(
            "prompt_in_published_file", default=base.prompt_in_published_file
        ),
        creator=section.text("creator", ""),
        renditions=section.texts("renditions", base.renditions, options=("png", "jpeg", "webp")),
        quality=section.integer("quality", base.quality, low=1, high=100),
    )
    section.finish()
    return found
