"""Render samples/sample.mp4 and its masks (caption_mask.png, .mp4) from scikit-image's free photographs.

    pip install -e ".[test]" && python samples/make_clip.py [FOLDER]

Two shots of 66 frames at 24000/1001: a coffee cup flies past a launch pad, then reaches an astronaut among
the galaxies. The camera pans and zooms by parts of a pixel; a caption is burned into most of shot one.
Nothing is random but seeded grain, and the encoder runs in one thread: the same versions, the same file.
"""

import sys
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from av.video.reformatter import ColorRange, Colorspace
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from skimage import data

Floats = NDArray[np.float32]
WIDTH, HEIGHT, RATE = 640, 360, Fraction(24000, 1001)
SHOT = 66
CAPTION = "Coffee is on its way."
CAPTION_FRAMES = range(8, 60)
SOUND_RATE = 48000


@dataclass(frozen=True)
class Cutout:
    """A piece of a photograph: (H,W,4) float32, colours in [0,1] times alpha, then alpha."""

    pixels: Floats

    def over(self, frame: Floats, x: float, y: float, scale: float, degrees: float) -> Floats:
        """`frame` (H,W,3) with the piece's middle at (x, y)."""
        height, width = self.pixels.shape[:2]
        turn = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, scale)
        turn[:, 2] += (x - width / 2, y - height / 2)
        layer = cv2.warpAffine(self.pixels, turn, (WIDTH, HEIGHT), flags=cv2.INTER_CUBIC)
        return np.asarray(frame * (1 - layer[..., 3:]) + layer[..., :3], np.float32)


def photograph(name: str) -> NDArray[np.uint8]:
    """One of scikit-image's, (H,W,3) uint8 RGB."""
    return np.asarray(getattr(data, name)(), np.uint8)


def cut(photo: NDArray[np.uint8], inside: NDArray[np.uint8], size: float) -> Cutout:
    """The part of a photograph where `inside` (H,W) is 255, with a soft edge, `size` times as large."""
    alpha = cv2.GaussianBlur(inside, (0, 0), 1.2)[..., None].astype(np.float32) / 255
    alpha = np.clip(alpha * 1.6 - 0.6, 0, 1)
    rgba = np.concatenate((photo.astype(np.float32) / 255 * alpha, alpha), -1)
    return Cutout(
        np.asarray(cv2.resize(rgba, None, fx=size, fy=size, interpolation=cv2.INTER_AREA), np.float32)
    )


def coffee_cup() -> Cutout:
    """The cup on its saucer, with its spoon: two ellipses and a handle."""
    photo = photograph("coffee")
    inside = np.zeros(photo.shape[:2], np.uint8)
    cv2.ellipse(inside, (279, 222), (198, 164), 0, 0, 360, 255, -1, cv2.LINE_AA)
    cv2.ellipse(inside, (291, 112), (117, 94), 0, 0, 360, 255, -1, cv2.LINE_AA)
    handle = np.array([(398, 71), (408, 68), (419, 70), (423, 78), (416, 103), (405, 125), (395, 110)])
    cv2.fillPoly(inside, [handle], 255, cv2.LINE_AA)
    return cut(photo, inside, 0.5)


def astronaut() -> Cutout:
    """Eileen Collins with her helmet: an outline by hand, its edge found by GrabCut."""
    photo = photograph("astronaut")
    outline = (
        "154,72 160,50 190,28 232,15 270,25 295,52 302,85 292,112 276,136 258,142 258,170 288,203 304,235 "
        "320,240 338,258 353,292 362,345 390,344 430,352 465,385 490,430 497,455 511,472 511,511 24,511 "
        "20,440 28,330 42,280 58,250 90,225 112,212 112,190 124,168 145,152 180,150 180,134 165,112"
    )
    points = np.array([point.split(",") for point in outline.split()], np.int32)
    body = np.zeros(photo.shape[:2], np.uint8)
    cv2.fillPoly(body, [points], 255)
    labels = np.full(body.shape, cv2.GC_BGD, np.uint8)
    labels[cv2.dilate(body, np.ones((13, 13), np.uint8)) > 0] = cv2.GC_PR_BGD
    labels[body > 0] = cv2.GC_PR_FGD
    labels[cv2.erode(body, np.ones((19, 19), np.uint8), borderValue=255) > 0] = cv2.GC_FGD
    cv2.setRNGSeed(1)
    colours = np.zeros((2, 1, 65))
    cv2.grabCut(photo, labels, (0, 0, 0, 0), colours[0], colours[1], 4, cv2.GC_INIT_WITH_MASK)
    found = np.where((labels == cv2.GC_FGD) | (labels == cv2.GC_PR_FGD), 255, 0).astype(np.uint8)
    # The helmet and the cloth behind it are equally black: there the hand's outline counts.
    found[340:, 300:] = body[340:, 300:]
    return cut(photo, np.asarray(cv2.medianBlur(found, 5), np.uint8), 0.62)


def camera(photo: Floats, x: float, y: float, zoom: float) -> Floats:
    """The view of a photograph whose middle is at (x, y), `zoom` pixels to one of the photograph's."""
    view = np.array([[zoom, 0, WIDTH / 2 - zoom * x], [0, zoom, HEIGHT / 2 - zoom * y]])
    flags = cv2.INTER_CUBIC
    frame = cv2.warpAffine(photo, view, (WIDTH, HEIGHT), flags=flags, borderMode=cv2.BORDER_REFLECT)
    return np.asarray(frame, np.float32)


def caption() -> Floats:
    """The caption as an (H,W,2) layer: the letters' white, and the cover of letters and outline."""
    layers = []
    for outline in (0, 2):
        sheet = Image.new("L", (WIDTH * 2, HEIGHT * 2))
        ImageDraw.Draw(sheet).text(
            (WIDTH, HEIGHT * 2 - 56),
            CAPTION,
            255,
            ImageFont.load_default(58),
            anchor="ms",
            stroke_width=outline * 3,
        )
        layers.append(np.asarray(sheet.resize((WIDTH, HEIGHT), Image.Resampling.BOX), np.float32) / 255)
    return np.stack(layers, -1)


def pictures() -> list[NDArray[np.uint8]]:
    """All frames, (360,640,3) uint8 RGB."""
    launch = np.asarray((photograph("rocket") / 255) ** 0.72, np.float32)
    stars = cv2.resize(photograph("hubble_deep_field"), None, fx=0.85, fy=0.85, interpolation=cv2.INTER_AREA)
    galaxies = np.asarray((stars / 255) ** 0.85, np.float32)
    cup, pilot, letters = coffee_cup(), astronaut(), caption()
    dice = np.random.default_rng(0)
    frames = []
    for number in range(2 * SHOT):
        t = number % SHOT / (SHOT - 1)
        if number < SHOT:
            frame = camera(launch, 285 + 50 * t, 248 - 62 * t, 1.16 + 0.06 * t)
            x, y = -90 + 640 * t, 150 - 70 * np.sin(2.6 * t) + 6 * np.sin(17 * t)
            frame = cup.over(frame, x, y, 0.62 + 0.16 * t, 12 - 26 * t)
        else:
            frame = camera(galaxies, 380 + 46 * t, 345 + 20 * t, 0.92 + 0.10 * t)
            frame = pilot.over(frame, 470 - 56 * t, 206 - 2 * t, 1.0 + 0.04 * t, 0)
            x, y = -60 + 250 * t**0.8, 90 + 74 * t + 5 * np.sin(15 * t)
            frame = cup.over(frame, x, y, 0.55 + 0.2 * t, -14 + 22 * t)
        if number in CAPTION_FRAMES:
            white, cover = letters[..., :1], letters[..., 1:]
            frame = frame * (1 - cover) + white * 0.97 + (cover - white) * 0.06
        grain = dice.normal(0, 1.6, (HEIGHT, WIDTH, 1)).astype(np.float32)
        frames.append(np.clip(frame * 255 + grain + 0.5, 0, 255).astype(np.uint8))
    return frames


def melody(samples: int) -> Floats:
    """A small tune, (2,samples): the right channel answers the left a third apart and half a beat later."""
    beat, tune = 0.34, (0, 4, 7, 11, 12, 11, 7, 4, 5, 9, 12, 14, 16, 12, 7, 12)
    answer, bass = (4, 7, 12, 14, 16, 14, 12, 7, 9, 12, 17, 17, 19, 16, 11, 16), (-12, -12, -7, -12)
    time = np.arange(samples) / SOUND_RATE
    sound = np.zeros((2, samples))

    def pluck(channel: int, start: float, note: int, volume: float, decay: float) -> None:
        t = time - start
        hertz = 261.63 * 2 ** (note / 12)
        wave = sum(np.sin(2 * np.pi * hertz * k * t) * 0.5**k for k in (1, 2, 3, 4))
        sound[channel] += volume * wave * np.exp(-np.maximum(t, 0) / decay) * np.clip(t / 0.008, 0, 1)

    for number in range(len(tune)):
        pluck(0, number * beat, tune[number], 0.34, 0.45)
        pluck(1, (number + 0.5) * beat, answer[number], 0.26, 0.45)
        if number % 4 == 0:
            pluck(0, number * beat, bass[number // 4], 0.36, 1.1)
            pluck(1, number * beat, bass[number // 4], 0.28, 1.1)
    return np.asarray(sound * np.clip((time[-1] - time) / 0.5, 0, 1), np.float32)


def write(path: Path, frames: list[NDArray[np.uint8]]) -> None:
    """H.264 High, 4:2:0, BT.709 limited, and stereo AAC of the same length."""
    samples = int(len(frames) / RATE * SOUND_RATE)
    sound = melody(samples)
    options = {"movflags": "+faststart", "fflags": "+bitexact", "video_track_timescale": "24000"}
    with av.open(str(path), "w", format="mp4", options=options) as film:
        settings = {"crf": "19", "preset": "slow", "profile": "high", "threads": "1"}
        picture = film.add_stream("libx264", rate=RATE, options=settings)
        picture.width, picture.height, picture.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        picture.time_base = 1 / RATE
        picture.codec_context.colorspace = picture.codec_context.color_primaries = 1
        picture.codec_context.color_trc = picture.codec_context.color_range = 1
        track = film.add_stream("aac", rate=SOUND_RATE, layout="stereo", options={"b": "128k"})
        for number, pixels in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24").reformat(
                format="yuv420p",
                dst_colorspace=Colorspace.ITU709,
                src_color_range=ColorRange.JPEG,
                dst_color_range=ColorRange.MPEG,
            )
            frame.pts, frame.time_base = number, 1 / RATE
            film.mux(picture.encode(frame))
        film.mux(picture.encode())
        for start in range(0, samples, 1024):
            block = np.ascontiguousarray(sound[:, start : start + 1024])
            piece = av.AudioFrame.from_ndarray(block, format="fltp", layout="stereo")
            piece.sample_rate, piece.pts, piece.time_base = SOUND_RATE, start, Fraction(1, SOUND_RATE)
            film.mux(track.encode(piece))
        film.mux(track.encode())


def write_mask(path: Path, mask: NDArray[np.uint8], count: int) -> None:
    """The mask as a film beside the film: white where the caption is, black while there is none; lossless."""
    with av.open(str(path), "w", format="mp4", options={"fflags": "+bitexact"}) as film:
        picture = film.add_stream("libx264", rate=RATE, options={"qp": "0", "preset": "slow", "threads": "1"})
        picture.width, picture.height, picture.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for number in range(count):
            shown = mask if number in CAPTION_FRAMES else np.zeros_like(mask)
            frame = av.VideoFrame.from_ndarray(shown, format="gray").reformat(format="yuv420p")
            frame.pts, frame.time_base = number, 1 / RATE
            film.mux(picture.encode(frame))
        film.mux(picture.encode())


def main(folder: Path) -> None:
    cv2.setNumThreads(1)
    # Wider than the letters, because the codec smears their edges into the pixels around.
    reach = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (7, 7))
    mask = np.asarray(cv2.dilate((caption()[..., 1] > 0).astype(np.uint8) * 255, reach), np.uint8)
    Image.fromarray(mask).save(folder / "caption_mask.png", optimize=True)
    frames = pictures()
    write_mask(folder / "caption_mask.mp4", mask, len(frames))
    write(folder / "sample.mp4", frames)
    print(f"{folder / 'sample.mp4'}: {(folder / 'sample.mp4').stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
