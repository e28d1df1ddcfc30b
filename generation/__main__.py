"""`python -m generation`: the generation service as its own process."""

import argparse
import asyncio
import faulthandler
import logging
import os
import signal
import threading
import time
from pathlib import Path

from generation.host_memory import keep_freed_memory
from generation.logs import JsonLines, Redacting, Redactor, write_logs
from generation.server import serve
from generation.settings import (
    ENGINES,
    QUANTIZE,
    TOKEN_VARIABLE,
    ServiceSettings,
    SettingsInvalid,
    go_offline,
    token_from_environment,
)
from generation.watching import private_words, reference

_PARENT_CHECK_S = 0.5
_LAST_GRACE_S = 3.0


def main(arguments: list[str] | None = None) -> int:
    """Run until stopped; ends with 2 if it cannot start like this."""
    parser = _parser()
    try:
        _run(settings_from(parser.parse_args(arguments)))
    except SettingsInvalid as exc:
        parser.error(str(exc))
    return 0


def _run(settings: ServiceSettings) -> None:
    faulthandler.enable()
    keep_freed_memory()
    redactor = Redactor([settings.token], private_words)
    write_logs("info", Redacting(JsonLines(reference), redactor))
    go_offline()
    # The server handles these itself and then raises them once more for the outer handlers.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    if settings.parent:
        threading.Thread(target=_end_with, args=(settings.parent,), daemon=True).start()
    asyncio.run(serve(settings))


def settings_from(given: argparse.Namespace) -> ServiceSettings:
    """Settings from the command line, the token from the environment. Raises SettingsInvalid."""
    return ServiceSettings(
        state_dir=given.state_dir,
        engine=given.engine,
        socket=given.socket,
        host=given.host,
        port=given.port,
        token=token_from_environment(),
        models_dir=given.models_dir,
        model=given.model,
        device=given.device,
        dtype=given.dtype,
        threads=given.threads,
        max_models=given.max_models,
        memory_mib=given.memory_mib,
        max_rows=given.max_rows,
        quantize=given.quantize,
        compile=given.compile,
        step_seconds=given.step_seconds,
        parent=given.parent,
        otel_endpoint=given.otel_endpoint,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m generation",
        description="Housestyle's generation service.",
        epilog=f"Over TCP it takes work only with the token in {TOKEN_VARIABLE} (or the file that "
        f"{TOKEN_VARIABLE}_FILE names).",
    )
    add = parser.add_argument
    add("--engine", choices=ENGINES, default="diffusers", help="drawn needs no torch")
    add("--socket", type=Path, help="listen on this UNIX socket")
    add("--host", default="127.0.0.1", help="listen on this address, with --port")
    add("--port", type=int, help="listen on this TCP port; 0 takes a free one")
    add("--state-dir", type=Path, required=True, help="folder for inputs and lists")
    add("--models-dir", type=Path, help="folder of diffusers folders and safetensors files")
    add("--model", default="demo", help="the model to load at once")
    add("--device", default="auto", help="auto, cpu, cuda or cuda:N")
    add("--dtype", default="auto", help="auto, float32, bfloat16 or float16")
    add("--threads", type=int, default=0, help="compute threads; 0 suits them to the model")
    add("--max-models", type=int, default=2, help="models kept in memory")
    add("--memory-mib", type=int, default=0, help="of the device, for models; 0: most of it")
    add("--max-rows", type=int, default=0, help="in one call of a model; 0: what a profile finds")
    add("--quantize", choices=QUANTIZE, default="none", help="weights of denoisers in eight bits")
    add("--compile", action="store_true", help="compile denoisers: slow to start, then faster")
    add("--step-seconds", type=float, default=0.0, help="the drawn engine's pace")
    add("--otel-endpoint", default="", help="send traces there (OTLP over HTTP)")
    add("--parent", type=int, default=0, help="end when this process is gone")
    return parser


def _end_with(parent: int) -> None:
    """Stop when whoever started this process is gone, even if it was killed."""
    while os.getppid() == parent:
        time.sleep(_PARENT_CHECK_S)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(_LAST_GRACE_S)
    os._exit(1)


if __name__ == "__main__":
    code = main()
    logging.shutdown()
    # Not sys.exit: a render thread inside torch may hold up Python's orderly end.
    os._exit(code)
