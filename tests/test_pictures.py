"""Pictures in files are read the right way, whatever their kind."""

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest

from vedit.pictures import read_picture


def png(path: Path, pixels: np.ndarray[tuple[int, ...], np.dtype[np.uint16]], clear: int) -> Path:
    """A PNG file with 16 bits a colour, one of which, grey of the level ``clear``, is transparent."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    height, width = pixels.shape[:2]
    colours = 1 if pixels.ndim == 2 else 3
    header = struct.pack(">IIBBBBB", width, height, 16, 0 if colours == 1 else 2, 0, 0, 0)
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in pixels)
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"tRNS", struct.pack(">H", clear) * colours)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )
    return path


@pytest.mark.parametrize("colours", [(), (3,)])
def test_the_transparent_colour_of_16_bits_is_black(tmp_path: Path, colours: tuple[int, ...]) -> None:
    pixels = np.full((8, 12, *colours), 0x4000, np.uint16)
    pixels[:4] = 0x8001
    pixels[6:] = 0x8002  # almost that
    found = read_picture(png(tmp_path / "mask.png", pixels, 0x8001))
    assert found.shape == (3, 8, 12)
    for rows, level in ((slice(4), 0), (slice(4, 6), 0x40), (slice(6, 8), 0x80)):
        assert (found[:, rows] == level).all()
