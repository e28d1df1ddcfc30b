"""What the engine computes on, and the conditions that decide its bits."""

import os
import shutil
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import torch

from generation.engines import EngineUnusable
from generation.settings import QUANTIZE

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
SMALL_MODEL_BYTES = 64 << 20
_LIBRARIES = (
    "torch", "diffusers", "transformers", "tokenizers", "peft", "numpy", "pillow",
    "scipy", "opencv-python-headless",
)  # fmt: skip
"""What computes numbers that end in pixels: scipy some samplers' coefficients, opencv the control
maps, tokenizers the words' numbers."""
_COMPILERS = ("g++", "clang++", "c++")
_CPU_FACTS = Path("/proc/cpuinfo")
_NVIDIA_DRIVER = Path("/proc/driver/nvidia/version")


@dataclass(frozen=True, kw_only=True)
class Device:
    """Where and how precisely it computes."""

    torch_device: torch.device
    dtype: torch.dtype
    dtype_name: str
    label: str
    """For people: `cpu` or the accelerator's name."""
    capability: str
    driver: str
    host: str
    """The CPU capability beside an accelerator: noise is drawn there, control maps and what lies
    outside the accelerator's memory are computed there. Empty where `capability` says it."""
    threads: int
    """Of compute, wanted; 0: as many as suit the model."""
    libraries: tuple[str, ...]
    quantize: str = ""
    """How the denoiser's weights are stored: empty as the rest, `int8` or `fp8`."""
    compiles: bool = False
    """Whether the denoiser is compiled."""

    @property
    def numbers(self) -> str:
        """Number format with all that changes its bits, e.g. `bfloat16+int8+compiled`."""
        more = (self.quantize, "compiled" if self.compiles else "")
        return "+".join((self.dtype_name, *filter(None, more)))

    def threads_for(self, weight_bytes: int) -> int:
        """How many threads a denoiser of a model of this size computes with: always as many.

        A small model's single operations are so short that on a shared processor threads mostly
        wait for each other at the end of every one of them.
        """
        if self.threads:
            return self.threads
        return 1 if weight_bytes < SMALL_MODEL_BYTES else len(os.sched_getaffinity(0))

    def threads_beside(self, weight_bytes: int) -> int:
        """The same for its encoders and decoders, which compute beside the step loop.

        A small model's take one. More teams of threads than processors, and OpenMP lets every one
        of them sleep at the end of an operation instead of waiting the microseconds that it takes:
        the step loop with two threads made two thirds of the pictures then.
        """
        return 1 if weight_bytes < SMALL_MODEL_BYTES else self.threads_for(weight_bytes)


def compute_with(threads: int) -> None:
    """Let this thread compute with so many threads, whatever others take.

    The first look of a thread takes over what any thread has set last, so it comes first.
    """
    torch.get_num_threads()
    torch.set_num_threads(threads)


def choose_device(
    name: str, dtype: str, threads: int, *, quantize: str = "none", compiles: bool = False
) -> Device:
    """Settle device and number format of this process, once.

    `auto` takes the accelerator if there is one, float32 on a CPU and bfloat16 elsewhere. Raises
    EngineUnusable naming the settings that exist.
    """
    if quantize not in QUANTIZE:
        raise EngineUnusable(f"There is no quantize {quantize!r}; use {', '.join(QUANTIZE)}.")
    # A faster algorithm found by trial may be another one tomorrow: the bits would differ.
    torch.backends.cudnn.benchmark = False
    torch.backends.cudnn.deterministic = True
    chosen = torch.device(_device_name(name))
    on_cpu = chosen.type == "cpu"
    dtype_name = ("float32" if on_cpu else "bfloat16") if dtype == "auto" else dtype
    if dtype_name not in DTYPES:
        raise EngineUnusable(f"There is no number format {dtype!r}; use auto, {', '.join(DTYPES)}.")
    return Device(
        torch_device=chosen,
        dtype=DTYPES[dtype_name],
        dtype_name=dtype_name,
        label="cpu" if on_cpu else torch.cuda.get_device_name(chosen),
        capability=_cpu_capability() if on_cpu else _accelerator_capability(chosen),
        driver="" if on_cpu else _driver(),
        host="" if on_cpu else _cpu_capability(),
        threads=threads,
        libraries=tuple(f"{library} {version(library)}" for library in _LIBRARIES),
        quantize="" if quantize == "none" else quantize,
        compiles=_checked_compiler(chosen) if compiles else False,
    )


def _checked_compiler(device: torch.device) -> bool:
    """True. Raises EngineUnusable where torch.compile could not build anything."""
    if device.type == "cuda" and find_spec("triton") is None:
        raise EngineUnusable(
            "The compile setting needs triton, which is not installed: install a CUDA build of "
            "torch, which brings it, or set compile to false."
        )
    if device.type == "cpu" and not any(map(shutil.which, _COMPILERS)):
        raise EngineUnusable(
            "The compile setting needs a C++ compiler and there is none: install g++, or set "
            "compile to false."
        )
    return True


def _device_name(name: str) -> str:
    has_cuda = torch.cuda.is_available()
    if name == "auto":
        return "cuda" if has_cuda else "cpu"
    if name.startswith("cuda") and not has_cuda:
        raise EngineUnusable(
            "The device setting asks for cuda, but this torch finds no CUDA device. Install a CUDA "
            "build of torch and the driver, or set the device to auto."
        )
    if name.split(":")[0] not in {"cpu", "cuda"}:
        raise EngineUnusable(f"There is no device {name!r}; use auto, cpu, cuda or cuda:N.")
    return name


def _cpu_capability() -> str:
    """Instruction set that torch's kernels chose, and the processor that MKL looks at."""
    capability = torch.backends.cpu.get_cpu_capability()
    try:
        lines = _CPU_FACTS.read_text().splitlines()
    except OSError:
        return capability
    found = next((line for line in lines if line.startswith("model name")), "")
    return f"{capability}, {found.partition(':')[2].strip()}" if found else capability


def _accelerator_capability(device: torch.device) -> str:
    major, minor = torch.cuda.get_device_capability(device)
    return f"sm_{major}{minor}, {torch.cuda.get_device_name(device)}"


def _driver() -> str:
    try:
        first = _NVIDIA_DRIVER.read_text().splitlines()[0]
    except (OSError, IndexError):
        return "unknown"
    return next((word for word in first.split() if word[0].isdigit()), "unknown")
