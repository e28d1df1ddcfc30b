"""Each brand's list of LoRAs and embeddings that may serve, kept over restarts in a small file."""

import json
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

from brand.spec import LoraRefused, RenderSpec, SpecInvalid, is_sha256


class ApprovedLoras:
    """Lists of file hashes by brand; what is on no list is refused."""

    def __init__(self, file: Path, *, max_listed: int) -> None:
        self._file = file
        self._max_listed = max_listed
        self._lists = _read(file)

    def replace(self, brand: str, hashes: Sequence[str]) -> None:
        """Set the brand's list. Raises SpecInvalid."""
        if len(hashes) > self._max_listed:
            raise SpecInvalid(f"a brand may list at most {self._max_listed} LoRAs and embeddings")
        if not all(is_sha256(sha256) for sha256 in hashes):
            raise SpecInvalid("the list must hold the sha256 of each LoRA or embedding file")
        wanted = sorted(set(hashes))
        if self._lists.get(brand) == wanted:
            return
        self._lists[brand] = wanted
        _write(self._file, json.dumps(self._lists, indent=1))

    def check(self, brand: str, spec: RenderSpec) -> None:
        """Raises LoraRefused unless every LoRA and embedding of the recipe is on the list."""
        allowed = self._lists.get(brand, [])
        named = [("LoRA", use.sha256, use.name) for use in spec.loras]
        named += [("embedding", use.sha256, use.name) for use in spec.embeddings]
        for kind, sha256, name in named:
            if sha256 not in allowed:
                shown = f"{name!r} ({sha256[:12]})" if name else sha256[:12]
                raise LoraRefused(
                    f"The {kind} {shown} is not on the approved list of brand {brand!r}; only "
                    "those may serve."
                )


def _read(file: Path) -> dict[str, list[str]]:
    """A missing or broken file is an empty list: nothing is allowed until it is sent again."""
    try:
        data = json.loads(file.read_bytes())
    except (OSError, ValueError):
        return {}
    if not isinstance(data, dict):
        return {}
    return {
        brand: hashes
        for brand, hashes in data.items()
        if isinstance(hashes, list) and all(isinstance(h, str) and is_sha256(h) for h in hashes)
    }


def _write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=file.parent, prefix=".approved-")
    with os.fdopen(handle, "w") as fresh:
        fresh.write(text)
        fresh.flush()
        os.fsync(fresh.fileno())
    Path(name).replace(file)
