"""The words of a picture as one would type them, for somebody to change."""

from dataclasses import replace

from bot.core.assets import Asset
from bot.core.grammar import Vocabulary, render_words
from bot.core.jobs import Job
from brand.kit import BrandKit


def words_of(asset: Asset, job: Job, kit: BrandKit) -> str:
    """What would stand after `/imagine` for one picture like this, its seed left out."""
    brief = replace(job.brief, n=kit.generation.count, seed=None, fresh=False)
    return render_words(brief, vocabulary=Vocabulary.of(kit)) or asset.words
