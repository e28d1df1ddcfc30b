"""The allocator of the host's memory: pages that were freed stay at hand until the work is over.

As it comes, glibc hands the pages of freed tensors back to the kernel and asks for zeroed ones at
the next operation. On a CPU ten thousand pages are about 25 ms, and how often it happens depends on
what was freed in which order: calls of one size took 15 or 28 ms a row. The bits do not depend on
it. Where the C library is another one, nothing changes.
mallopt(3), malloc_trim(3).
"""

import ctypes

_TRIM_THRESHOLD, _TOP_PAD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -2, -3, -8
_MIB = 1 << 20
_PARAMETERS = (
    (_ARENA_MAX, 1),  # the arenas of threads end at 64 MiB; a decoder's tensors are larger
    (_MMAP_THRESHOLD, 256 * _MIB),  # larger ones are mapped, and go back as they are freed
    (_TOP_PAD, 64 * _MIB),
    (_TRIM_THRESHOLD, 2047 * _MIB),
)


def keep_freed_memory() -> None:
    """Let this process keep what it frees; call it before other threads have begun."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        for name, value in _PARAMETERS:
            mallopt(name, value)


def return_freed_memory() -> None:
    """Give it back to the system now. Takes milliseconds; the next call pays for fresh pages."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
