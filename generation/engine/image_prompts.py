"""Image prompts: weights that let a UNet attend to a picture beside the words, row by row.

The method and the weights' format are IP-Adapter's (Ye et al., 2023, arXiv 2308.06721; diffusers'
guide "IP-Adapter"). The model itself is not changed: while a batch with image prompts is computed,
its cross-attention layers answer through processors that add each row's own picture with its own
weight, and afterwards through the usual ones again.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import torch
from diffusers import UNet2DConditionModel
from diffusers.models.embeddings import ImageProjection
from PIL import Image
from safetensors.torch import load_file
from torch.nn import functional
from transformers import CLIPImageProcessorPil, CLIPVisionModelWithProjection

from brand.spec import ModelMissing
from generation.engine.denoisers.padding import PADDED_ROWS
from generation.engine.flights import Row
from generation.engine.library.image_prompt_files import ENCODER, FOLDER, text_width
from generation.engine.library.shelf import RoomFor, Shelf
from generation.engine.library.weights import (
    Files,
    Hashes,
    WeightsDamaged,
    bytes_on_disk,
)

_HOW = (
    f"Put a folder with the weights (one safetensors file of an IP-Adapter) and their CLIP encoder "
    f"(`{ENCODER}/`) into `{FOLDER}/` of the models folder and restart the service."
)


def image_prompt_files(weights: Path) -> tuple[tuple[str, Path], ...]:
    """(name, file) of all that decides what these weights make of a picture."""
    encoder = sorted((weights.parent / ENCODER).glob("*"))
    read = [file for file in encoder if file.suffix in {".safetensors", ".json"}]
    return tuple((f"image prompt/{file.name}", file) for file in (weights, *read))


def choose_image_prompt(found: Mapping[str, Path], name: str) -> str:
    """The name of the weights to use; an empty one means those that are there.

    Raises ModelMissing, saying where weights belong.
    """
    if name in found:
        return name
    if not found:
        raise ModelMissing(f"No weights for image prompts are installed. {_HOW}")
    if name:
        raise ModelMissing(
            f"There are no image-prompt weights {name!r}; installed: {', '.join(sorted(found))}."
        )
    return min(found)


def fitting_image_prompt(found: Mapping[str, Path], name: str, words: int) -> str:
    """As choose_image_prompt; for an empty name the first that fit a UNet of this text width."""
    fitting = {other: file for other, file in found.items() if _fits(file, words)}
    return choose_image_prompt(found if name or not fitting else fitting, name)


def _fits(file: Path, words: int) -> bool:
    try:
        return text_width(file) == words
    except WeightsDamaged:
        return False


class ImagePrompts:
    """The image prompts of one loaded UNet, each set of weights loaded when it is asked for and
    kept until others need the room."""

    def __init__(
        self,
        unet: UNet2DConditionModel,
        found: Mapping[str, Path],
        *,
        read_hashes: Callable[[str, Files], Hashes] = lambda _name, _files: (),
        room_for: RoomFor | None = None,
    ) -> None:
        self._unet = unet
        self._found = found
        self._read_hashes = read_hashes
        self.shelf: Shelf[ImagePromptView] = Shelf(room_for=room_for)

    def choose(self, name: str) -> str:
        """The weights of that name; for an empty one the first that fit this UNet.

        Raises ModelMissing.
        """
        return fitting_image_prompt(self._found, name, self._unet.config.cross_attention_dim)

    def using(self, name: str) -> AbstractContextManager["ImagePromptView"]:
        """Have these weights on this UNet in memory within this context.

        Raises ModelMissing where they do not fit it.
        """
        weights = self._found[name]
        files = image_prompt_files(weights)

        def load() -> ImagePromptView:
            hashes = self._read_hashes(f"image prompt {name}", files)
            return _loaded(self._unet, name, weights, hashes)

        return self.shelf.using(name, load, bytes_on_disk(files))

    def view(self, name: str) -> "ImagePromptView":
        """These weights, in memory until others need the room. Raises as `using`."""
        view = self.shelf.get(name)  # the step loop never waits for what others load
        if view is None:
            with self.using(name) as view:
                pass
        return view


class ImagePromptView:
    """One set of image-prompt weights on one UNet."""

    def __init__(
        self,
        unet: UNet2DConditionModel,
        encoder: CLIPVisionModelWithProjection,
        projection: torch.nn.Module,
        layers: Mapping[str, Any],
        hashes: Hashes = (),
    ) -> None:
        self.hashes = hashes
        """Of its files as they were when it was loaded."""
        parts = (encoder, projection, *layers.values())
        self.size = sum(weight.nbytes for part in parts for weight in part.parameters())
        self._encoder = encoder
        self._projection = projection
        side = encoder.config.image_size
        self._reader = CLIPImageProcessorPil(size=side, crop_size=side)
        modules = {f"{name}.processor": module for name, module in unet.named_modules()}
        self._turns = [(modules[name], _PictureAttention(layer)) for name, layer in layers.items()]

    @torch.no_grad()
    def embeddings(self, picture: Image.Image) -> tuple[torch.Tensor, torch.Tensor]:
        """(tokens, channels) for rows of the negative prompt, then of the prompt."""
        pixels = self._reader(picture, return_tensors="pt").pixel_values
        pixels = pixels.to(self._encoder.device, self._encoder.dtype)
        if isinstance(self._projection, ImageProjection):
            shown = self._encoder(pixels).image_embeds
            nothing = torch.zeros_like(shown)
        else:
            shown, nothing = (
                self._encoder(values, output_hidden_states=True).hidden_states[-2]
                for values in (pixels, torch.zeros_like(pixels))
            )
        return self._projection(nothing)[0].float(), self._projection(shown)[0].float()

    def sample(self, noise: torch.Tensor) -> torch.Tensor:
        """A random embedding for profiles, from (n,) normally distributed numbers, n ≥ 1."""
        width = self._turns[0][1].layer.to_k_ip[0].in_features
        tokens = self._turns[0][1].layer.num_tokens[0]
        return noise.repeat(-(-tokens * width // len(noise)))[: tokens * width].view(tokens, width)

    @contextmanager
    def applied(self, rows: Sequence[Row], bucket: int) -> Iterator[None]:
        """See RowAdapters."""
        pictures = [row.terms.image for row in rows if row.terms.image is not None]
        if len(pictures) != bucket:
            raise ValueError("every row of an image-prompt lane needs a picture")
        tokens = torch.stack(pictures)
        weights = torch.tensor([row.terms.image_weight for row in rows], device=tokens.device)
        usual = [module.processor for module, _ in self._turns]
        for module, processor in self._turns:
            processor.tokens, processor.weights = tokens, weights
            module.processor = processor
        try:
            yield
        finally:
            for (module, processor), before in zip(self._turns, usual, strict=True):
                module.processor = before
                processor.tokens = processor.weights = None


class _PictureAttention:
    """Cross-attention to the words, and with each row's weight to its picture."""

    def __init__(self, layer: Any) -> None:  # noqa: ANN401  # diffusers is untyped
        self.layer = layer
        self.tokens: torch.Tensor | None = None
        self.weights: torch.Tensor | None = None

    def __call__(
        self,
        attention: Any,  # noqa: ANN401  # diffusers is untyped
        hidden_states: torch.Tensor,
        encoder_hidden_states: torch.Tensor,
        attention_mask: torch.Tensor | None = None,
        **_unused: object,
    ) -> torch.Tensor:
        """(rows, positions, channels) to the same; as diffusers' IPAdapterAttnProcessor2_0."""
        if self.tokens is None or self.weights is None:
            raise ValueError("an image prompt's attention was called outside its batch")
        query = _heads(attention, attention.to_q(hidden_states))
        found = functional.scaled_dot_product_attention(
            query,
            _heads(attention, attention.to_k(encoder_hidden_states)),
            _heads(attention, attention.to_v(encoder_hidden_states)),
            attn_mask=attention_mask,
        )
        tokens = self.tokens.to(hidden_states.dtype)
        seen = functional.scaled_dot_product_attention(
            query,
            _heads(attention, _product(self.layer.to_k_ip[0], tokens)),
            _heads(attention, _product(self.layer.to_v_ip[0], tokens)),
        )
        together = found + self.weights.to(found.dtype)[:, None, None, None] * seen
        joined = together.transpose(1, 2).flatten(2)
        out: torch.Tensor = attention.to_out[1](attention.to_out[0](joined))
        return out


def _heads(attention: Any, values: torch.Tensor) -> torch.Tensor:  # noqa: ANN401
    rows, positions, _ = values.shape
    split: torch.Tensor = values.view(rows, positions, attention.heads, -1)
    return split.transpose(1, 2)


def _product(layer: torch.nn.Linear, tokens: torch.Tensor) -> torch.Tensor:
    """A small product of a fixed number of rows (see denoisers/padding.py)."""
    flat = tokens.flatten(0, 1)
    padded = functional.pad(flat, (0, 0, 0, -len(flat) % PADDED_ROWS))
    product: torch.Tensor = layer(padded)
    return product[: len(flat)].view(*tokens.shape[:2], -1)


def _loaded(unet: UNet2DConditionModel, name: str, file: Path, hashes: Hashes) -> ImagePromptView:
    device, dtype = unet.device, unet.dtype
    try:
        state: dict[str, dict[str, torch.Tensor]] = {"image_proj": {}, "ip_adapter": {}}
        for key, tensor in load_file(file).items():
            part, _, rest = key.partition(".")
            state[part][rest] = tensor.to(device, dtype)
        # Both only build new modules from the weights; the UNet is read and not changed.
        projection = unet._convert_ip_adapter_image_proj_to_diffusers(
            state["image_proj"], low_cpu_mem_usage=False
        )
        made = unet._convert_ip_adapter_attn_to_diffusers([state], low_cpu_mem_usage=False)
        encoder = CLIPVisionModelWithProjection.from_pretrained(
            file.parent / ENCODER, dtype=dtype, local_files_only=True, use_safetensors=True
        )
    except (OSError, ValueError, KeyError, TypeError, RuntimeError, AttributeError) as exc:
        reason = (str(exc).strip() or type(exc).__name__).splitlines()[0]
        raise ModelMissing(
            f"The image-prompt weights {name!r} do not fit this model: {reason}"
        ) from exc
    layers = {at: layer.to(device, dtype).eval() for at, layer in made.items() if _reads(layer)}
    return ImagePromptView(
        unet, encoder.to(device).eval(), projection.to(device, dtype).eval(), layers, hashes
    )


def _reads(layer: object) -> bool:
    return isinstance(layer, torch.nn.Module) and hasattr(layer, "to_k_ip")
