"""LoRAs by the hash of their file: checked, loaded once, used with a weight, forgotten when old."""

import logging
import tempfile
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from pathlib import Path

import safetensors.torch
import torch
from diffusers import DiffusionPipeline

from brand.spec import LoraRefused, LoraUse
from generation.engine.weights import Header, WeightsDamaged, file_sha256, read_header
from generation.engines import Inputs

MAX_TENSORS = 20_000
MAX_RANK = 1024
MAX_SIDE = 1 << 20
_FLOATS = {"F64", "F32", "F16", "BF16"}
_NAME_CHARACTERS = 16
_log = logging.getLogger(__name__)


class LoraShelf:
    """The LoRAs that one model holds, the least recently used giving way beyond `room`."""

    def __init__(self, pipe: DiffusionPipeline, *, room: int = 8) -> None:
        self._pipe = pipe
        self._room = room
        self._held: OrderedDict[str, None] = OrderedDict()

    def use(self, wanted: Sequence[LoraUse], inputs: Inputs) -> None:
        """Make exactly these LoRAs act on the model. Raises LoraRefused, InputMissing."""
        hashes = [use.sha256 for use in wanted]
        if len(set(hashes)) != len(hashes):
            raise LoraRefused("The recipe names the same LoRA twice; give it one weight.")
        for sha256 in hashes:
            if sha256 not in self._held:
                self._load(sha256, inputs.path(sha256))
            self._held[sha256] = None
            self._held.move_to_end(sha256)
        if wanted:
            self._pipe.enable_lora()
            self._pipe.set_adapters(
                [_name(sha256) for sha256 in hashes], [u.weight for u in wanted]
            )
        elif self._held:
            self._pipe.disable_lora()
        while len(self._held) > max(self._room, len(hashes)):
            oldest = next(iter(self._held))
            del self._held[oldest]
            self._pipe.delete_adapters(_name(oldest))

    def _load(self, sha256: str, path: Path) -> None:
        check_lora(path, sha256)
        with tempfile.TemporaryDirectory(prefix="housestyle-lora-") as folder:
            # diffusers tells safetensors from pickle by the suffix, which blobs do not have.
            named = Path(folder, "lora.safetensors")
            named.symlink_to(path.absolute())
            try:
                self._pipe.load_lora_weights(
                    folder,
                    weight_name=named.name,
                    adapter_name=_name(sha256),
                    use_safetensors=True,
                    local_files_only=True,
                )
                self._check_fit(sha256, read_header(named))
            except LoraRefused:
                self._forget_all()
                raise
            except (
                ValueError,
                KeyError,
                RuntimeError,
                TypeError,
                AttributeError,
                IndexError,
            ) as exc:
                self._forget_all()
                _log.info(
                    "LoRA %s does not load: %s", sha256, exc, extra={"action": "lora_refused"}
                )
                raise LoraRefused(_misfit(sha256)) from exc

    def _check_fit(self, sha256: str, header: Header) -> None:
        """A LoRA that fits only partly is not the LoRA that was approved."""
        expected = sum(_is_matrix(name) for name in header.tensors)
        loaded = sum(1 for _ in self._matrices(_name(sha256)))
        if not loaded or loaded < expected:
            raise LoraRefused(
                f"{_misfit(sha256)} {loaded} of its {expected} matrices have a place."
            )

    def _matrices(self, name: str) -> Iterator[torch.nn.Module]:
        for part in (self._pipe.unet, self._pipe.text_encoder, *_second_encoder(self._pipe)):
            for module in part.modules():
                for side in ("lora_A", "lora_B"):
                    if name in getattr(module, side, ()):
                        yield getattr(module, side)[name]

    def _forget_all(self) -> None:
        """After a failure half of the layers may be wrapped: go back to the plain model."""
        self._pipe.unload_lora_weights()
        self._held.clear()


def check_lora(path: Path, sha256: str) -> None:
    """Refuse what is not a sound LoRA file of this hash, before any library sees it.

    Raises LoraRefused.
    """
    if file_sha256(path) != sha256:
        raise LoraRefused(f"The file of LoRA {sha256[:12]} has changed on disk; upload it again.")
    try:
        header = read_header(path)
    except WeightsDamaged as exc:
        raise LoraRefused(f"The LoRA {sha256[:12]} is no safetensors file: {exc}") from exc
    if not header.tensors or len(header.tensors) > MAX_TENSORS:
        raise LoraRefused(
            f"The LoRA {sha256[:12]} has {len(header.tensors)} tensors, not 1 to {MAX_TENSORS}."
        )
    for name, facts in header.tensors.items():
        if "lora" not in name:
            raise LoraRefused(f"The file {sha256[:12]} is no LoRA: it holds {name[:80]!r}.")
        if facts.dtype not in _FLOATS or max(facts.shape, default=1) > MAX_SIDE:
            raise LoraRefused(f"The LoRA {sha256[:12]} has an odd tensor {name[:80]!r}.")
        if _is_matrix(name) and (len(facts.shape) not in {2, 4} or min(facts.shape[:2]) > MAX_RANK):
            raise LoraRefused(f"The LoRA {sha256[:12]} has no proper rank at {name[:80]!r}.")
    for name, tensor in safetensors.torch.load_file(path).items():
        if not bool(torch.isfinite(tensor).all()):
            raise LoraRefused(f"The LoRA {sha256[:12]} holds no number at {name[:80]!r}.")


def _is_matrix(name: str) -> bool:
    return not name.endswith(".alpha")


def _misfit(sha256: str) -> str:
    return f"The LoRA {sha256[:12]} does not fit this model; was it trained for another one?"


def _second_encoder(pipe: DiffusionPipeline) -> tuple[torch.nn.Module, ...]:
    second = getattr(pipe, "text_encoder_2", None)
    return () if second is None else (second,)


def _name(sha256: str) -> str:
    return f"h{sha256[:_NAME_CHARACTERS]}"
