"""The ControlNets of one loaded model, and what they add to it in a batch of rows."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager

import torch
from diffusers import ControlNetModel, UNet2DConditionModel
from torch.utils.weak import WeakTensorKeyDictionary

from brand.spec import ModelMissing
from generation.engine.control.loading import load_control
from generation.engine.control.sources import ControlSource, choose_control
from generation.engine.denoisers.tiling import Tiling
from generation.engine.flights import Lead, Signature
from generation.engine.library.shelf import RoomFor, Shelf
from generation.engine.library.weights import Files, Hashes

Residuals = tuple[tuple[torch.Tensor, ...], torch.Tensor]
"""What is added to the UNet's down blocks, and to its middle block."""
_NO_UNET = "ControlNets lead models of the SD 1.x and SDXL layouts only; choose such a model."


class ControlRack:
    """Loads ControlNets when they are asked for, and keeps them until others need the room.

    `residuals` runs in the loop's thread alone, all else in those of requests.
    """

    def __init__(
        self,
        unet: UNet2DConditionModel | None,
        sources: Mapping[str, ControlSource],
        *,
        read_hashes: Callable[[str, Files], Hashes] = lambda _name, _files: (),
        room_for: RoomFor | None = None,
    ) -> None:
        """`unet` is None for a layout without one (SD3, Flux): every control is refused."""
        self._unet = unet
        self._sources = sources
        self._read_hashes = read_hashes
        self.shelf: Shelf[Net] = Shelf(room_for=room_for)

    @property
    def bytes(self) -> int:
        """Of the loaded ControlNets' weights; they count as the model's own."""
        return self.shelf.bytes

    def choose(self, kind: str, name: str = "") -> ControlSource:
        """As choose_control says, for this model. Raises ModelMissing and SpecInvalid."""
        if self._unet is None:
            raise ModelMissing(_NO_UNET)
        return choose_control(self._sources, kind, name, self._fits)

    def using(self, name: str) -> AbstractContextManager["Net"]:
        """Have it in memory within this context.

        Raises ModelMissing where its files are not sound or do not fit.
        """
        source = self._sources[name]

        def load() -> Net:
            if self._unet is None:
                raise ModelMissing(_NO_UNET)
            hashes = self._read_hashes(f"ControlNet {name}", source.files)
            return Net(load_control(source, self._unet), hashes)

        return self.shelf.using(name, load, source.weight_bytes)

    def take(self, name: str) -> None:
        """Have it in memory until others need the room. Raises as `using`."""
        with self.using(name):
            pass

    @torch.no_grad()
    def residuals(
        self,
        signature: Signature,
        latents: torch.Tensor,
        timesteps: torch.Tensor,
        text: torch.Tensor,
        added: dict[str, torch.Tensor] | None,
        leads: Sequence[tuple[Lead, ...]],
        bucket: int,
    ) -> Residuals:
        """The sum of what the signature's ControlNets say of each of `bucket` rows.

        Each row has one lead for each of them. Summed in order, as diffusers'
        MultiControlNetModel does; one at scale 0 is computed too.
        """
        if len(latents) != bucket or len(leads) != bucket:
            raise ValueError(f"{len(latents)} rows and {len(leads)} leads are no bucket {bucket}")
        parts = []
        for place, name in enumerate(signature.controls):
            mine = [row[place] for row in leads]
            net = self.shelf[name]
            parts.append(net.answer(latents, timesteps, text, added, mine, signature.tile))
        down, middle = parts[0]
        for more, more_middle in parts[1:]:
            down = tuple(one + other for one, other in zip(down, more, strict=True))
            middle = middle + more_middle
        return down, middle

    def _fits(self, source: ControlSource) -> bool:
        if self._unet is None:
            return False
        config = self._unet.config
        return source.fits(config.cross_attention_dim, config.block_out_channels)


class Net:
    """One ControlNet whose view of a picture is computed once for all steps.

    The layers that look at the map read pixels, at many times the latents' size, and see the
    same at every step. They look at one picture at a time, so that it never matters who else
    is in the batch.
    """

    def __init__(self, net: ControlNetModel, hashes: Hashes = ()) -> None:
        self.hashes = hashes
        """Of its files as they were when it was loaded."""
        self.size = sum(parameter.nbytes for parameter in net.parameters())
        self._eye = net.controlnet_cond_embedding
        self._flipped = net.config.controlnet_conditioning_channel_order == "bgr"
        net.register_to_config(controlnet_conditioning_channel_order="rgb")
        net.controlnet_cond_embedding = torch.nn.Identity()
        self._net = net
        self._tiling = Tiling(net, self._eye)
        self._seen = {False: WeakTensorKeyDictionary(), True: WeakTensorKeyDictionary()}

    def answer(
        self,
        latents: torch.Tensor,
        timesteps: torch.Tensor,
        text: torch.Tensor,
        added: dict[str, torch.Tensor] | None,
        leads: Sequence[Lead],
        tile: bool,
    ) -> Residuals:
        """Its residuals for these rows, each with its own picture and scale."""
        self._tiling.switch(tile)
        scales = torch.tensor([lead.scale for lead in leads], device=latents.device)
        down, middle = self._net(
            latents,
            timesteps,
            encoder_hidden_states=text,
            controlnet_cond=torch.stack([self._view(lead.image, tile) for lead in leads]),
            conditioning_scale=scales[:, None, None, None],
            added_cond_kwargs=added,
            return_dict=False,
        )
        # The scales are float32 whatever the net computes in, as a plain number would be.
        return tuple(part.to(latents.dtype) for part in down), middle.to(latents.dtype)

    def _view(self, image: torch.Tensor, tile: bool) -> torch.Tensor:
        seen = self._seen[tile]
        if image not in seen:
            shown = image.to(self._net.device, self._net.dtype)
            shown = shown.flip(0) if self._flipped else shown
            seen[image] = self._eye(shown[None])[0]
        view: torch.Tensor = seen[image]
        return view
