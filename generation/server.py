"""Runs the generation service on a UNIX socket or on TCP, and stops it within seconds."""

import asyncio
import logging
import os
import socket
import stat
from pathlib import Path

import uvicorn

from generation.engines import DIFFUSERS_SLOTS, Engine
from generation.lazy_engine import LazyEngine
from generation.service import GenerationService
from generation.settings import MIB, SHIPPED_MODEL, ServiceSettings, SettingsInvalid

GRACE_S = 2
"""How long answers under way may take when the service stops."""
_BACKLOG = 128
_PRIVATE = 0o177
_log = logging.getLogger(__name__)


class Server(uvicorn.Server):
    """Ends every event stream before it waits for connections to close."""

    def __init__(self, service: GenerationService) -> None:
        config = uvicorn.Config(
            service.app,
            access_log=False,
            log_config=None,
            server_header=False,
            ws="none",
            timeout_graceful_shutdown=GRACE_S,
        )
        super().__init__(config)
        self._service = service

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop renders at their next step and let the streams say so."""
        self._service.queue.stop()
        await super().shutdown(sockets)


async def serve(settings: ServiceSettings) -> None:
    """Run until SIGTERM or SIGINT. Raises SettingsInvalid if the address is taken."""
    listening = bind(settings)
    try:
        service = GenerationService(make_engine(settings), settings)
        _log.info("listening on %s", listening.getsockname(), extra={"action": "listening"})
        try:
            await Server(service).serve(sockets=[listening])
        finally:
            await asyncio.to_thread(service.watch.tracing.close)
    finally:
        listening.close()
        if settings.socket is not None:
            settings.socket.unlink(missing_ok=True)


def make_engine(settings: ServiceSettings) -> Engine:
    """The engine that the settings name; nothing heavy is imported yet."""
    if settings.engine == "drawn":
        return LazyEngine(lambda: _drawn(settings), name="drawn")
    return LazyEngine(lambda: _diffusers(settings), name="diffusers", slots=DIFFUSERS_SLOTS)


def _drawn(settings: ServiceSettings) -> Engine:
    from generation.drawn_engine import DrawnEngine

    return DrawnEngine(step_seconds=settings.step_seconds)


def _diffusers(settings: ServiceSettings) -> Engine:
    from generation.engine.engine import EngineOptions, InFlightEngine

    options = EngineOptions(
        shipped=SHIPPED_MODEL,
        state_dir=settings.state_dir,
        models_dir=settings.models_dir,
        warm=settings.model,
        device=settings.device,
        dtype=settings.dtype,
        threads=settings.threads,
        max_models=settings.max_models,
        memory_bytes=settings.memory_mib * MIB,
        max_rows=settings.max_rows,
        quantize=settings.quantize,
        compiles=settings.compile,
    )
    return InFlightEngine(options)


def bind(settings: ServiceSettings) -> socket.socket:
    """The listening socket. Raises SettingsInvalid if the address cannot be had."""
    try:
        if settings.socket is not None:
            return _bind_unix(settings.socket)
        return socket.create_server((settings.host, settings.port or 0), backlog=_BACKLOG)
    except OSError as exc:
        where = settings.socket or f"{settings.host}:{settings.port}"
        raise SettingsInvalid(f"Cannot listen on {where}: {exc.strerror or exc}.") from exc


def _bind_unix(path: Path) -> socket.socket:
    _remove_stale(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(_PRIVATE)
    try:
        listening.bind(str(path))
    except OSError:
        listening.close()
        raise
    finally:
        os.umask(before)
    listening.listen(_BACKLOG)
    return listening


def _remove_stale(path: Path) -> None:
    """A socket nobody answers on is left over from a crash."""
    try:
        if not stat.S_ISSOCK(path.stat().st_mode):
            raise SettingsInvalid(f"{path} exists and is no socket; choose another path.")
    except FileNotFoundError:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            path.unlink(missing_ok=True)
            return
    raise SettingsInvalid(f"Another generation service answers on {path}; stop it first.")
