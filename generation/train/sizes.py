"""How large the demo model's parts are, and how a wanted length becomes steps."""

from dataclasses import dataclass, field

from generation.train.text_encoder import TextSize
from generation.train.unet import UnetSize
from generation.train.vae import VaeSize

_SECONDS_PER_HOUR = 3600


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """Widths of the parts, with the pace that turns hours into steps."""

    vae: VaeSize = field(default_factory=VaeSize)
    text: TextSize = field(default_factory=TextSize)
    unet: UnetSize = field(default_factory=UnetSize)
    vae_seconds: float = 0.32
    """Seconds a VAE step takes on two ordinary cores (measured); likewise the next three."""
    decoder_seconds: float = 0.24
    word_seconds: float = 0.1
    unet_seconds: float = 0.35
    word_steps: int = 700

    def steps(self, hours: float) -> dict[str, int]:
        """Steps per stage: a sixth of the time for the VAE, a tenth for its decoder's polish.

        The pace is a constant, so that equal options give an equal model on every machine.
        """
        seconds = hours * _SECONDS_PER_HOUR
        vae = max(1, round(seconds / 6 / self.vae_seconds))
        decoder = max(1, round(seconds / 10 / self.decoder_seconds))
        rest = seconds * (1 - 1 / 6 - 1 / 10) - self.word_steps * self.word_seconds
        unet = max(1, round(rest / self.unet_seconds))
        return {"vae": vae, "words": self.word_steps, "unet": unet, "decoder": decoder}


FULL = Sizes()
