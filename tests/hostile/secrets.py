"""Secrets: canaries in every place that keeps one, a product that is used and provoked, and a look
into everything that it wrote."""

import re
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

from bot.settings_options import OPTIONS, Option
from tests.acceptance.product import Product, free_port, serving, until
from tests.hostile.score import Score, Taken

WORDS = "hscanaryprompt on a wooden table"
COOKIE = "housestyle"
ADDRESSES = {
    "signin.oidc_issuer": "http://127.0.0.1:9",
    "signin.oidc_client_id": "house",
    "signin.slack_client_id": "house",
    "signin.slack_issuer": "http://127.0.0.1:9",
    "signin.discord_client_id": "house",
    "signin.discord_address": "http://127.0.0.1:9",
    "slack.api_base_url": "http://127.0.0.1:9",
    "discord.api_base_url": "http://127.0.0.1:9/api/v10",
    "discord.gateway_url": "ws://127.0.0.1:9",
    "generation.engine": "drawn",
    "log_level": "info",
}
"""What the secrets stand beside; nothing answers at port 9, so that signing in fails too."""
WAYS: tuple[tuple[frozenset[str], dict[str, str]], ...] = (
    (frozenset({"slack.client_secret", "slack.token_key"}), {"slack.mode": "socket"}),
    (frozenset({"slack.bot_token"}), {"slack.mode": "http", "slack.client_id": "house"}),
)
"""Slack for one workspace and for many: the secrets that it goes without, what stands beside."""


async def run() -> Score:
    """Use the product with canaries as secrets, stop it, and search all that it left."""
    score = Score()
    for without, beside in WAYS:
        await _used(score, without, beside)
    return score


async def _used(score: Score, without: frozenset[str], beside: dict[str, str]) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        secrets = [option.key for option in _secret() if option.key not in without]
        # As long as a key of slack.token_key, and one.
        planted = {key: f"hscanary{n:02d}secret{'x' * 26}w" for n, key in enumerate(secrets)}
        pages: list[str] = []
        async with _product(folder, planted, beside) as product:
            planted["link"] = product.link.partition("key=")[2]
            await product.enter()
            planted["session"] = product.browser.cookies[COOKIE]
            planted |= await _made(product)
            await product.say(f"/imagine {WORDS}")
            await until(lambda: product.shows("/queue", "nothing|Nothing|empty"), "an empty queue")
            pages += [text async for text in _provoked(product, planted)]
            await product.stop()
        _search(score, folder, pages, planted)


def _secret() -> list[Option]:
    return [option for option in OPTIONS if option.secret]


@asynccontextmanager
async def _product(
    folder: Path, planted: dict[str, str], beside: dict[str, str]
) -> AsyncIterator[Product]:
    variables = {option.key: option.variable for option in OPTIONS}
    given = {**ADDRESSES, **beside, **planted}
    environment = {variables[key]: value for key, value in given.items()}
    environment.pop("HOUSESTYLE_GENERATION_TOKEN")  # would mean a service that runs elsewhere
    with (folder / "log").open("wb") as log:
        data, port = folder / "data", free_port()
        async with serving(data, port, environment=environment, log=log) as product:
            yield product


async def _made(product: Product) -> dict[str, str]:
    """Secrets that the product makes and shows once: an invitation, an API key. (A link code is
    none: it stands in the chat by design, lives for minutes, and alone opens nothing.)"""
    forms = (
        (
            "invitation",
            "/people/invite",
            {"name": "Ola", "roles": "requester"},
            r"/enter\?key=([\w.-]+)",
        ),
        ("API key", "/account/keys", {"label": "robot", "scope": "read"}, r"\b(hs_[\w-]{40,})"),
    )
    made = {}
    for name, path, form, pattern in forms:
        answer = await product.browser.post(path, data=form)
        found = re.search(pattern, answer.text)
        if found is None:
            raise LookupError(f"no {name} was shown")
        made[name] = found.group(1)
    return made


async def _provoked(product: Product, planted: dict[str, str]) -> AsyncIterator[str]:
    """Answers to requests that go wrong while they carry secrets."""
    browser = product.browser
    stranger = httpx.AsyncClient(base_url=browser.base_url, headers=browser.headers, timeout=30)
    async with stranger:
        for secret in planted.values():
            bearer = {"Authorization": f"Bearer {secret}"}
            for client in (browser, stranger):
                for path in (
                    "/nothing",
                    "/review/count",
                    "/metrics",
                    "/healthz",
                    "/readyz",
                    "/audit",
                ):
                    yield (await client.get(path, headers=bearer)).text
            answer = await stranger.post("/enter", data={"key": secret + "x"})
            yield answer.text.replace(secret + "x", "")  # what one typed oneself is no leak
            yield (await stranger.post("/chat/drafts", data={"text": "x"}, headers=bearer)).text
        for path in ("/health", "/usage", "/people", "/audit", "/account", "/brands", "/calendar"):
            yield (await browser.get(path)).text
        for provider in ("oidc", "slack", "discord"):
            for path in (
                f"/sign-in/{provider}",
                f"/sign-in/{provider}/callback?code=hscanarycode&state=x",
            ):
                yield (await stranger.get(path)).text


def _opening(secret: str) -> str:
    """`ID.SECRET` and `hs_ID_SECRET` without what comes before the secret."""
    if secret.startswith("hs_"):
        return secret.split("_", 2)[2]
    return secret.partition(".")[2] or secret


def _search(score: Score, folder: Path, pages: list[str], planted: dict[str, str]) -> None:
    log = (folder / "log").read_bytes()
    places = {"log": [log], "pages": [page.encode() for page in pages]}
    for path in sorted((folder / "data").rglob("*")):
        if path.is_file():
            kind = path.relative_to(folder / "data").parts[0]
            places.setdefault(kind, []).append(path.read_bytes())
    for name, secret in planted.items():
        # Of a two-part secret the id may be known; what must be nowhere is the part that opens.
        opens = _opening(secret).encode()
        for place, files in places.items():
            with score.attempt(f"{name} in {place}"):
                if any(opens in data for data in files):
                    raise Taken("it stands there")
    with score.attempt("the prompt in the log"):
        if WORDS.split()[0].encode() in log:
            raise Taken("it stands there")
    with score.attempt("that anything was logged and kept at all"):
        kept = b"".join(places["housestyle.db"])
        if not log or WORDS.split()[0].encode() not in kept:
            raise Taken("there was nothing to search, so the search proves nothing")
