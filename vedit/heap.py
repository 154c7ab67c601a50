"""Memory that is given back: pictures are large, and the C library would keep what they leave behind in pieces."""

import ctypes
import sys
import time
from contextlib import suppress
from functools import cache
from typing import Any

PICTURE = 1_000_000
"""Pixels from which pictures are so large that it matters."""
LARGE = 2 << 20
"""Bytes from which a block is the system's own and goes back to it as soon as it is free."""
HEAPS = 2
"""Heaps that threads share; each keeps pieces of its own."""
EVERY = 1.0
"""Seconds between two times that the smaller pieces are given back, which takes up to 40 ms."""
_M_MMAP_THRESHOLD, _M_ARENA_MAX = -3, -8

_last = time.monotonic()


def give_back(pixels: int) -> None:
    """Let the system have what nothing uses, when pictures of so many pixels are large, once in a while.

    glibc cuts pictures of 25 MB (1080p) out of heaps that cannot shrink while anything small lives above them, and
    these grow for minutes: inpainting 1080p took up to 1.9 GB that way, and takes about 0.4 GB less when they are given
    back. Does nothing with other C libraries.
    """
    global _last
    if pixels < PICTURE:
        return
    library = _glibc()
    if library is not None and time.monotonic() - _last >= EVERY:
        library.malloc_trim(0)
        _last = time.monotonic()


@cache
def _glibc() -> Any:
    if sys.platform != "linux":
        return None
    with suppress(OSError, AttributeError):
        library = ctypes.CDLL("libc.so.6")
        library.malloc_trim.argtypes = [ctypes.c_size_t]
        library.mallopt(_M_MMAP_THRESHOLD, LARGE)
        library.mallopt(_M_ARENA_MAX, HEAPS)
        return library
    return None
