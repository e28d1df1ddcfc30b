"""What a file is, and how Slack tells of it."""

from pathlib import PurePosixPath
from urllib.parse import quote

from tests.fakes.slack.state import File, Json, World

MAGIC = (
    (b"\x89PNG\r\n\x1a\n", ("png", "image/png")),
    (b"\xff\xd8\xff", ("jpg", "image/jpeg")),
    (b"GIF8", ("gif", "image/gif")),
)


def kind_of(file: File) -> tuple[str, str]:
    """(file type, media type), found in its bytes."""
    for magic, kind in MAGIC:
        if file.data.startswith(magic):
            return kind
    if file.data[:4] == b"RIFF" and file.data[8:12] == b"WEBP":
        return "webp", "image/webp"
    if PurePosixPath(file.name).suffix == ".csv":
        return "csv", "text/csv"
    return "binary", "application/octet-stream"


def address_of(world: World, file: File) -> str:
    """Where its bytes are for whoever has the token."""
    return f"{world.base}/files-pri/{file.team}-{file.id}/{quote(file.name)}"


def file_json(world: World, file: File) -> Json:
    """A file as Slack tells of it: without a media type until it is processed."""
    ready = world.now() >= file.ready_at
    kind, media = kind_of(file) if ready else ("", "")
    url = address_of(world, file)
    if file.external:
        url = file.data.decode()
    told: Json = {
        "id": file.id,
        "created": int(file.created),
        "timestamp": int(file.created),
        "name": file.name,
        "title": file.title or file.name,
        "mimetype": media,
        "filetype": kind,
        "user": file.user,
        "user_team": file.team,
        "size": file.size,
        "mode": "external" if file.external else "hosted",
        "is_external": file.external,
        "is_public": False,
        "url_private": url,
        "url_private_download": url,
        "permalink": f"{world.base}/files/{file.user}/{file.id}/{quote(file.name)}",
        "channels": [c for c in file.shares if c.startswith("C")] if ready else [],
        "groups": [c for c in file.shares if c.startswith("G")] if ready else [],
        "ims": [c for c in file.shares if c.startswith("D")] if ready else [],
        "shares": _shares(file) if ready else {},
    }
    if file.alt:
        told["alt_txt"] = file.alt
    return told


def _shares(file: File) -> Json:
    public = {c: [{"ts": ts}] for c, ts in file.shares.items() if c.startswith("C")}
    private = {c: [{"ts": ts}] for c, ts in file.shares.items() if not c.startswith("C")}
    return {name: found for name, found in (("public", public), ("private", private)) if found}
