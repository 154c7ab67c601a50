"""The clips that faults are planted in, as pictures, and the films that come of it."""

from collections.abc import Sequence
from contextlib import closing
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np

from vedit.bench.faults import Picture, Pictures
from vedit.bench.sound_faults import Samples
from vedit.errors import InputError
from vedit.frame import Notes
from vedit.video.probe import probe
from vedit.video.read import read

FEWEST = 21
"""Pictures of a clip that faults are planted in."""
OTHERS = 40
"""Pictures of another clip from which foreign ones are taken."""


def read_pictures(path: Path, most: int, width: int) -> tuple[Pictures, list[int], Fraction]:
    """The first pictures of a clip, at most so wide, where its shots begin, and its rate.

    Raises:
        InputError: it cannot be read, or is too short.
    """
    source = probe(path).as_edited("tonemap")
    pictures: Pictures = []
    cuts: list[int] = []
    with closing(read(source, Notes())) as frames:
        for number, frame in enumerate(frames):
            if number == most:
                break
            rgb = (frame.pixels[:3].permute(1, 2, 0) * 255).round().byte().numpy()
            wide = max(2, min(width, rgb.shape[1]) // 2 * 2)
            high = max(2, round(rgb.shape[0] * wide / rgb.shape[1]) // 2 * 2)
            pictures.append(np.asarray(cv2.resize(rgb, (wide, high), interpolation=cv2.INTER_AREA), np.uint8))
            if frame.cut or number == 0:
                cuts.append(number)
    _check_length(path, len(pictures))
    rate = source.rate or Fraction(source.frames, 1) / source.duration
    return pictures, cuts, rate.limit_denominator(1001)


def check_lengths(clips: Sequence[Path]) -> None:
    """Complain of a clip that cannot be read or is too short, before any of them has taken its time.

    Raises:
        InputError: as above.
    """
    for path in clips:
        _check_length(path, probe(path).frames)


def _check_length(path: Path, pictures: int) -> None:
    if pictures < FEWEST:
        raise InputError(
            f"{path.name} has {pictures} pictures, too few for a fault among them",
            f"Give clips of {FEWEST} or more.",
        )


def other_pictures(clips: Sequence[Path], place: int, width: int) -> Pictures:
    """Some pictures of another clip; of a single one, its own upside down and in false colours."""
    pictures = read_pictures(clips[(place + 1) % len(clips)], OTHERS, width)[0]
    if len(clips) == 1:
        return [np.ascontiguousarray(255 - picture[::-1, :, [1, 2, 0]]) for picture in pictures]
    return pictures


def write_film(
    path: Path, film: Sequence[Picture], rate: Fraction, sound: tuple[int, Samples] | None = None
) -> Path:
    """Write a film without loss, with a sound of 16 bits if one is given."""
    with av.open(path, "w") as out:
        stream = out.add_stream("ffv1", rate=rate, options={"threads": "1"})
        stream.height, stream.width = film[0].shape[:2]
        stream.pix_fmt = "bgr0"
        track = None
        if sound is not None:
            layout = "mono" if sound[1].shape[1] == 1 else "stereo"
            track = out.add_stream("flac", rate=sound[0], layout=layout)
        for picture in film:
            out.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        out.mux(stream.encode(None))
        if sound is not None and track is not None:
            whole = (sound[1].clip(-1, 1) * 32767).round().astype(np.int16)
            for start in range(0, len(whole), 4096):
                block = np.ascontiguousarray(whole[start : start + 4096].reshape(1, -1))
                frame = av.AudioFrame.from_ndarray(block, format="s16", layout=layout)
                frame.sample_rate, frame.pts, frame.time_base = sound[0], start, Fraction(1, sound[0])
                out.mux(track.encode(frame))
            out.mux(track.encode(None))
    return path
