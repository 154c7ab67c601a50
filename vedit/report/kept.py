"""What of a film is exactly the same in another: times, sound, subtitles, chapters, tags."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from av.error import FFmpegError
from av.stream import AttachmentStream

from vedit.report.pairing import length
from vedit.video.copier import Copied
from vedit.video.decode import open_film
from vedit.video.source import Source
from vedit.video.streams import payload
from vedit.video.tags import kept_tags


@dataclass(frozen=True)
class Kept:
    """Something of the reference: ``exact`` says whether the result has the same, ``words`` what was found.

    ``kind`` is ``audio``, ``subtitle``, ``cover`` and so on for streams, empty for the rest and for what only
    the result has.
    """

    what: str
    exact: bool
    words: str
    kind: str = ""


Chapter = tuple[Fraction, Fraction, str]
"""When it starts and ends, in seconds, and its title."""


@dataclass(frozen=True)
class Contents:
    """What a film holds beside its pictures: its streams with what is in them, chapters, tags."""

    streams: tuple[Copied, ...]
    chapters: tuple[Chapter, ...]
    tags: dict[str, str]


def kept(reference: Source, result: Source) -> tuple[Kept, ...]:
    """Everything of the reference, and whether the result has it bit for bit.

    Raises:
        InputError: a film can no longer be opened.
    """
    ours, theirs = contents(reference), contents(result)
    return (
        times(reference, result),
        *_shape(reference, result),
        *_streams(ours.streams, theirs.streams),
        *_chapters(ours, theirs),
        *_tags(ours, theirs),
    )


def contents(film: Source) -> Contents:
    """Read a film's other streams, packet by packet, to the end or to where damage stops it."""
    streams = {facts.index: Copied(facts) for facts in film.streams if not facts.is_chapter_track}
    with open_film(film.path) as container:
        packed = []
        for index, copied in streams.items():
            stream = container.streams[index]
            if isinstance(stream, AttachmentStream):
                copied.take(stream.data)
            else:
                packed.append(stream)
        try:
            for packet in container.demux(packed) if packed else ():
                if packet.size:
                    copied = streams[packet.stream.index]
                    copied.take(payload(packet, copied.facts.codec))
        except FFmpegError:
            pass  # what can be read of it has been read, as when it is copied
        chapters = tuple(_chapter(dict(chapter)) for chapter in container.chapters())
        tags = {key.lower(): value for key, value in kept_tags(container.metadata, "").items()}
    return Contents(tuple(streams.values()), chapters, tags)


def _chapter(chapter: Mapping[str, Any]) -> Chapter:
    base = Fraction(chapter["time_base"])
    return chapter["start"] * base, chapter["end"] * base, dict(chapter["metadata"]).get("title", "")


def times(reference: Source, result: Source) -> Kept:
    """Whether both have as many pictures, each at the same time as in the other."""
    ours, theirs = reference.frames, result.frames
    if ours != theirs:
        more = length(result) - length(reference)
        span = f"{abs(float(more)):.3f} s {'longer' if more > 0 else 'shorter'}"
        if abs(more) <= reference.time_base + result.time_base:
            span = "as long"
        return Kept("times", False, f"{theirs} pictures for {ours}; {span}")
    apart = time_error(reference, result)
    shift = result.pts[0] * result.time_base - reference.pts[0] * reference.time_base
    if apart == shift == 0:
        return Kept("times", True, f"{ours} of {ours} pictures at the same times")
    words = f"{ours} pictures each, up to {float(1000 * (apart or 0)):.3g} ms apart"
    if shift:
        words += f", counted from the first, which comes {abs(float(1000 * shift)):.3g} ms "
        words += "later" if shift > 0 else "earlier"
    return Kept("times", False, words)


def time_error(reference: Source, result: Source) -> Fraction | None:
    """Seconds between the times of two pictures that belong together, counted from the first ones, at most.

    None where one film has more pictures than the other.
    """
    if reference.frames != result.frames:
        return None
    ours, theirs = (
        [(pts - film.pts[0]) * film.time_base for pts in film.pts] for film in (reference, result)
    )
    return max(abs(a - b) for a, b in zip(ours, theirs, strict=True))


def _shape(reference: Source, result: Source) -> Iterator[Kept]:
    sizes = [f"{film.width}x{film.height}" for film in (reference, result)]
    for film, size in zip((reference, result), range(2), strict=True):
        if film.video.sar != 1:
            sizes[size] += f", pixels {film.video.sar.numerator}:{film.video.sar.denominator}"
    yield _either("size", *sizes)
    names = ("matrix", "range", "primaries", "transfer")
    tags = [
        "not tagged"
        if all(getattr(colour, name) in (0, 2) for name in names)
        else ", ".join(f"{name} {getattr(colour, name)}" for name in names)
        for colour in ((film.original or film.video).colour for film in (reference, result))
    ]
    yield _either("colour tags", *tags)


def _either(what: str, ours: str, theirs: str) -> Kept:
    return Kept(what, ours == theirs, ours if ours == theirs else f"{theirs}; was {ours}")


def _streams(ours: Sequence[Copied], theirs: Sequence[Copied]) -> Iterator[Kept]:
    """Streams of a kind in order; one with the same content is taken for the same wherever it lies."""
    left = list(theirs)
    pairs: list[tuple[Copied, Copied | None]] = []
    same = {}
    for number, stream in enumerate(ours):
        found = next((one for one in left if _kind(one) == _kind(stream) and one.md5 == stream.md5), None)
        if found is not None:
            left.remove(found)
            same[number] = found
    for number, stream in enumerate(ours):
        other = same.get(number) or next((one for one in left if _kind(one) == _kind(stream)), None)
        if other in left:
            left.remove(other)
        pairs.append((stream, other))
    for stream, other in pairs:
        yield _stream(stream, other)
    for extra in left:
        yield Kept(_named(extra), False, "only in the result")


def _stream(stream: Copied, other: Copied | None) -> Kept:
    if other is None:
        words = "not in the result"
    elif other.md5 == stream.md5:
        words = f"{stream.packets} packets, md5 {stream.md5}"
    elif other.facts.codec != stream.facts.codec:
        words = f"{other.facts.codec}; was {stream.facts.codec}"
    else:
        words = f"other packets: {other.packets}; were {stream.packets}"
    exact = other is not None and other.md5 == stream.md5
    return Kept(_named(stream), exact, words, _kind(stream))


def _kind(stream: Copied) -> str:
    return "cover" if stream.facts.is_picture else stream.facts.kind


def _named(stream: Copied) -> str:
    words = [_kind(stream), stream.facts.codec, stream.facts.language]
    return " ".join(word for word in words if word and word != "und")


def _chapters(ours: Contents, theirs: Contents) -> Iterator[Kept]:
    if not ours.chapters and not theirs.chapters:
        return
    if ours.chapters == theirs.chapters:
        yield Kept("chapters", True, f"{len(ours.chapters)}, titles and times")
    elif len(ours.chapters) != len(theirs.chapters):
        yield Kept("chapters", False, f"{len(theirs.chapters)}; were {len(ours.chapters)}")
    else:
        apart = max(
            abs(a - b)
            for one, other in zip(ours.chapters, theirs.chapters, strict=True)
            for a, b in zip(one[:2], other[:2], strict=True)
        )
        titles = [chapter[2] for chapter in ours.chapters] == [chapter[2] for chapter in theirs.chapters]
        yield Kept(
            "chapters",
            False,
            f"{'same titles' if titles else 'other titles'}, times up to {float(1000 * apart):.3g} ms apart",
        )


def _tags(ours: Contents, theirs: Contents) -> Iterator[Kept]:
    """Tags that the reference has; those that only the result has are no loss."""
    if not ours.tags:
        return
    gone = sorted(key for key, value in ours.tags.items() if theirs.tags.get(key) != value)
    if gone:
        yield Kept("tags", False, f"lost or changed: {', '.join(gone)}")
    else:
        yield Kept("tags", True, ", ".join(sorted(ours.tags)))
