"""`housestyle imagine`: words become a picture on disk, without a server."""

import asyncio
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from bot.cli import imagine_options as typed
from bot.cli.console import CommandFailed, Failure, Terminal
from bot.cli.exits import ExitCode
from bot.cli.inline_picture import escape_sequences, protocol_of
from bot.cli.kits import chosen_kit, kits_of
from bot.cli.options import BrandId, Json, settings_of
from bot.cli.owner import AtTerminal, at_terminal, run_async
from bot.cli.progress import Bar
from bot.core.errors import HousestyleError
from bot.core.ids import is_id
from bot.settings import terminal_environment

if TYPE_CHECKING:
    from bot.core.assets import Asset
    from bot.core.jobs import Job
    from bot.settings import Settings
    from brand.kit import BrandKit


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What was typed."""

    words: list[str]
    flags: dict[str, object]
    reference: bytes = b""
    """A picture from a file, as a clean PNG."""
    brand: str = ""
    out: Path | None = None
    terminal: Terminal = field(default_factory=Terminal)


def imagine(
    context: typer.Context,
    words: typed.Words,
    no: typed.No = None,
    ar: typed.Shape = None,
    n: typed.Count = None,
    seed: typed.Seed = None,
    steps: typed.Steps = None,
    cfg: typed.Guidance = None,
    sampler: typed.Sampler = None,
    ref: typed.Reference = None,
    strength: typed.Strength = None,
    iw: typed.ImageWeight = None,
    lora: typed.Lora = None,
    stylize: typed.Stylize = None,
    tile: typed.Tile = False,
    highres: typed.HighRes = None,
    outpaint: typed.Outpaint = None,
    recipe: typed.Recipe = None,
    fresh: typed.Fresh = False,
    private: typed.Private = False,
    brand: BrandId = "",
    out: typed.Out = None,
    as_json: Json = False,
) -> int:
    """Render a picture and save it here. Prints its path and id."""
    flags: dict[str, object] = {
        "ar": ar, "n": n, "seed": seed, "steps": steps, "cfg": cfg, "sampler": sampler,
        "strength": strength, "iw": iw, "stylize": stylize, "tile": tile, "lora": lora,
        "highres": highres, "outpaint": outpaint, "recipe": recipe,
        "fresh": fresh, "private": private, "no": no,
    }  # fmt: skip
    path = Path(ref) if ref and not is_id(ref) else None
    wanted = Wanted(
        words=words,
        flags=flags if path or not ref else flags | {"ref": ref},
        reference=_picture(path) if path else b"",
        brand=brand,
        out=out,
        terminal=Terminal(as_json=as_json),
    )
    settings, kits = kits_of(settings_of(context), wanted.terminal)
    kit = chosen_kit(kits, brand)
    _check(wanted, kit)
    return run_async(lambda: _render(settings, kit, wanted))


def _check(wanted: Wanted, kit: "BrandKit") -> None:
    """Find mistakes before anything is started: a wrong word is answered at once."""
    from bot.cli.wording import read_words
    from bot.core.queueing import compile_all

    attached = "0" * 64 if wanted.reference else ""
    brief = read_words(wanted.words, kit, wanted.flags, attached=attached).brief
    # Which file an id stands for is found once the archive is open.
    compile_all(brief.with_pictures(lambda _: "0" * 64), kit)


async def _render(settings: "Settings", kit: "BrandKit", wanted: Wanted) -> int:
    from bot.cli.following import followed, pictures_of, working
    from bot.cli.wording import read_words

    async with at_terminal(settings, generation=True) as here:
        attached = await _attached(here, kit, wanted.reference)
        command = read_words(wanted.words, kit, wanted.flags, attached=attached)
        with Bar(wanted.terminal, "Getting ready") as bar:
            async with working(here.house):
                card = await here.say(command)
                job = await followed(here, card.subject.removeprefix("job:"), bar)
        _check_ended(job)
        assets = await pictures_of(here.house, job)
        paths = [await _saved(here, asset, wanted.out, many=len(assets) > 1) for asset in assets]
    _report(wanted.terminal, job, list(zip(assets, paths, strict=True)))
    return _code(wanted.terminal, assets)


async def _attached(here: AtTerminal, kit: "BrandKit", picture: bytes) -> str:
    """The picture's hash, once it is kept as the owner's; empty without one."""
    from bot.core.uploads import bring

    if not picture:
        return ""
    return (await bring(here.house, here.owner, picture, brand=kit.id)).sha256


def _picture(path: Path) -> bytes:
    from bot.cli.reference import read_picture

    return read_picture(path)


def _check_ended(job: "Job") -> None:
    from bot.core.lives import JobState

    if job.hold:
        raise CommandFailed(
            Failure(
                code=ExitCode.REFUSED,
                error="held",
                message=f"Held: {job.held_why}",
                fix="It stays in the queue for `housestyle serve`, until it is cancelled.",
                facts={"job": job.id},
            )
        )
    if job.state is JobState.CANCELLED:
        raise CommandFailed(
            Failure(code=ExitCode.CANCELLED, error="cancelled", message="It was cancelled.")
        )
    if job.state is JobState.FAILED:
        reference = f"The log has it under {job.error_reference}." if job.error_reference else ""
        raise CommandFailed(
            Failure(
                code=ExitCode.FAILED,
                error="render_failed",
                message=f"The picture could not be made: {job.error}",
                fix=reference,
                facts={"job": job.id, "reference": job.error_reference},
            )
        )


async def _saved(here: AtTerminal, asset: "Asset", out: Path | None, *, many: bool) -> Path:
    """Write the labelled file; the name is made of the id, never of what a person typed."""
    from bot.core.cards import shown_blob

    data = await here.house.blobs.get(shown_blob(asset))
    return await asyncio.to_thread(_write, data, out, f"{asset.id}.png", many=many)


def _write(data: bytes, out: Path | None, name: str, *, many: bool) -> Path:
    folder = out if out and (many or out.is_dir() or not out.suffix) else None
    path = folder / name if folder else out or Path(name)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    except OSError as exc:
        raise HousestyleError(
            f"{path} can't be written: {exc.strerror}.",
            fix="The picture is in the archive: `housestyle assets export ID --out FOLDER`.",
        ) from exc
    return path


def _report(terminal: Terminal, job: "Job", made: "list[tuple[Asset, Path]]") -> None:
    from bot.core.cards import quiet_line

    facts = {"job": job.id, "seconds": job.seconds, "pictures": [_facts(a, p) for a, p in made]}
    for asset, path in made:
        _show_inline(terminal, path)
        if asset.change:
            terminal.note(f"Rendered again: {asset.change}")
        terminal.note(f"{asset.evidence.line} · {quiet_line(asset)}")
    terminal.result("\n".join(f"{path}\t{asset.id}" for asset, path in made), facts)


def _facts(asset: "Asset", path: Path) -> dict[str, Any]:
    return {
        "path": str(path),
        "id": asset.id,
        "seed": asset.spec.seed,
        "prompt": asset.spec.prompt,
        "spec_hash": asset.spec.hash,
        "pixel_hash": asset.pixel_hash,
        "state": asset.state.value,
        "evidence": asset.evidence.to_dict(),
        "change": asset.change,
        "seconds": asset.seconds,
        "cost": asdict(asset.cost) if asset.cost else None,
    }


def _show_inline(terminal: Terminal, path: Path) -> None:
    if not (terminal.interactive and path.suffix == ".png"):
        return
    sequences = escape_sequences(path.read_bytes(), protocol_of(terminal_environment()))
    sys.stderr.write(sequences)
    sys.stderr.flush()


def _code(terminal: Terminal, assets: "list[Asset]") -> int:
    failed = [asset for asset in assets if not asset.evidence.passed]
    if not failed:
        return ExitCode.OK
    terminal.note(
        f"{len(failed)} of {len(assets)} did not pass the brand check, also not when rendered "
        "again with a changed recipe; it can't be sent to approval."
    )
    return ExitCode.REFUSED
