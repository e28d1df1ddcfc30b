"""The gates: each looks at one picture and gives a Verdict with its numbers.

Inputs are pixels (numpy uint8, H x W x 3), the recipe and the kit, whose `gates` hold every
threshold. What could not be judged has `passed=None` and says so; it is never called passed.
"""

from collections.abc import Sequence

from brand import measures
from brand.color import PixelArray, palette_coverage
from brand.kit import BrandKit
from brand.retry import changed_recipe
from brand.spec import RenderSpec
from brand.verdicts import Evidence, Fact, Swatch, Verdict
from brand.words import find_banned

__all__ = [
    "Evidence",
    "Fact",
    "Swatch",
    "Verdict",
    "banned_words_gate",
    "brand_passes",
    "changed_recipe",
    "moderation_gate",
    "motif_gate",
    "near_duplicate_gate",
    "palette_gate",
    "run_gates",
    "sharpness_gate",
    "size_gate",
]

MIN_SPREAD = 2.0
"""Standard deviation of brightness (0 to 255) below which a picture is empty."""

Known = Sequence[tuple[str, str]]
"""(asset id, fingerprint) pairs."""


def run_gates(
    pixels: PixelArray,
    spec: RenderSpec,
    kit: BrandKit,
    known_hashes: Known = (),
    *,
    nsfw: float | None = None,
) -> Evidence:
    """Every gate's verdict on one finished picture.

    `known_hashes` are the fingerprints to compare with; `nsfw` is the likelihood (0 to 1) that an
    installed classifier gave, None without one.
    """
    print_ = measures.fingerprint(pixels)
    verdicts = (
        palette_gate(pixels, kit),
        motif_gate(pixels, kit),
        sharpness_gate(pixels, kit),
        near_duplicate_gate(print_, known_hashes, kit),
        size_gate(pixels, spec, kit),
        banned_words_gate(spec, kit),
        moderation_gate(nsfw, kit),
    )
    return Evidence(verdicts=verdicts, fingerprint=print_)


def brand_passes(pixels: PixelArray, kit: BrandKit) -> bool:
    """The brand gate: the palette with its quotas, and the motif where the kit has one."""
    return all(gate(pixels, kit).passed is not False for gate in (palette_gate, motif_gate))


def palette_gate(pixels: PixelArray, kit: BrandKit) -> Verdict:
    """Share of the picture near a palette colour (CIEDE2000), and the quota of each key colour."""
    if not kit.palette:
        return Verdict(name="palette", passed=None, summary="palette: the kit has none")
    limits = kit.gates
    palette = [(color.name, color.rgb) for color in kit.palette]
    coverage = palette_coverage(pixels, palette, max_delta_e=limits.max_delta_e)
    shares = dict(coverage.shares)
    short = [c for c in kit.palette if c.key and shares[c.name] < c.min_share]
    named = ", ".join(f"{name} {share * 100:.0f}" for name, share in coverage.shares)
    summary = f"palette {coverage.total * 100:.0f} %: {named}"
    if coverage.total < limits.min_palette_share:
        summary += f"; {limits.min_palette_share * 100:.0f} % wanted"
    for color in short:
        summary += f"; {color.name} needs {color.min_share * 100:.0f} %"
    return Verdict(
        name="palette",
        passed=coverage.total >= limits.min_palette_share and not short,
        summary=summary,
        facts=(
            Fact("palette", round(coverage.total * 100, 1), "%"),
            Fact("palette wanted", round(limits.min_palette_share * 100, 1), "%"),
        ),
        swatches=tuple(
            Swatch(c.name, c.hex, round(shares[c.name], 4), c.min_share if c.key else 0.0)
            for c in kit.palette
        ),
    )


def motif_gate(pixels: PixelArray, kit: BrandKit) -> Verdict:
    """Share of the picture that shows the brand's stripes."""
    motif = kit.gates.motif
    if motif is None:
        return Verdict(name="motif", passed=None, summary="motif: the kit has none")
    share = measures.stripe_share(pixels, angle=motif.angle, tolerance=motif.tolerance)
    passed = share >= motif.min_share
    wanted = "" if passed else f", {motif.min_share * 100:.0f} % wanted"
    return Verdict(
        name="motif",
        passed=passed,
        summary=f"stripes {share * 100:.0f} %{wanted}",
        facts=(
            Fact("stripes", round(share * 100, 1), "%"),
            Fact("stripes wanted", round(motif.min_share * 100, 1), "%"),
        ),
    )


def sharpness_gate(pixels: PixelArray, kit: BrandKit) -> Verdict:
    """Variance of the Laplacian, scaled to the picture's size."""
    value = measures.sharpness(pixels)
    passed = value >= kit.gates.min_sharpness
    return Verdict(
        name="sharpness",
        passed=passed,
        summary="sharp" if passed else f"soft: {value:.0f}, {kit.gates.min_sharpness:.0f} wanted",
        facts=(Fact("sharpness", round(value, 1)), Fact("wanted", kit.gates.min_sharpness)),
    )


def near_duplicate_gate(fingerprint: str, known: Known, kit: BrandKit) -> Verdict:
    """Bits that differ from the nearest known picture."""
    limit = kit.gates.min_near_duplicate_bits
    if not limit:
        return Verdict(name="near_duplicate", passed=None, summary="near-duplicates: not checked")
    if not known:
        return Verdict(name="near_duplicate", passed=True, summary="not like anything before")
    distances = measures.differing_bits(fingerprint, [print_ for _, print_ in known])
    nearest = min(range(len(distances)), key=distances.__getitem__)
    bits, passed = distances[nearest], distances[nearest] >= limit
    summary = "not like anything before" if passed else f"almost the same as {known[nearest][0]}"
    return Verdict(
        name="near_duplicate",
        passed=passed,
        summary=summary,
        facts=(Fact("differing bits", bits, "of 64"), Fact("wanted", limit, "of 64")),
    )


def size_gate(pixels: PixelArray, spec: RenderSpec, kit: BrandKit) -> Verdict:
    """The size that was asked for, at least the kit's least side, and not empty."""
    height, width = pixels.shape[:2]
    facts = (Fact("width", width, "px"), Fact("height", height, "px"))
    wanted = spec.output_size
    problem = ""
    if (width, height) != wanted:
        problem = f"{width} × {height} px instead of {wanted[0]} × {wanted[1]}"
    elif min(width, height) < kit.gates.min_side:
        problem = f"{width} × {height} px; {kit.gates.min_side} px is the least side"
    elif float(measures.luma(pixels).std()) < MIN_SPREAD:
        problem = "empty: one flat colour"
    summary = problem or f"{width} × {height} px"
    return Verdict(name="size", passed=not problem, summary=summary, facts=facts)


def banned_words_gate(spec: RenderSpec, kit: BrandKit) -> Verdict:
    """No banned word in the prompt that was rendered."""
    found = find_banned(spec.prompt, kit)
    if found is None:
        return Verdict(name="banned_words", passed=True, summary="no banned words")
    word, term = found
    return Verdict(
        name="banned_words",
        passed=False,
        summary=f"banned word '{word}' (tone rule {term.rule}, {term.owner})",
    )


def moderation_gate(nsfw: float | None, kit: BrandKit) -> Verdict:
    """What the installed classifier says; without one, that there is none."""
    if nsfw is None:
        return Verdict(name="moderation", passed=None, summary="moderation: not installed")
    passed = nsfw <= kit.gates.max_nsfw
    return Verdict(
        name="moderation",
        passed=passed,
        summary="moderation: clear" if passed else "moderation: not safe for work",
        facts=(Fact("not safe for work", round(nsfw * 100, 1), "%"),),
    )
