"""Titles, languages and other words about the film and its streams: what still holds, and what a container loses."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from html import escape, unescape
from io import BytesIO
from pathlib import Path
from typing import Any

import av
from av.container import InputContainer, OutputContainer
from av.error import FFmpegError
from av.packet import Packet
from av.stream import Disposition, Stream
from av.subtitles.stream import SubtitleStream

from vedit.video.decode import open_film
from vedit.video.moved import Moved

STALE_TAGS = (
    "encoder",
    "duration",
    "major_brand",
    "minor_version",
    "compatible_brands",
    "rotate",
    "alpha_mode",
    "vendor_id",
    "filename",
    "mimetype",
    "encoding_tool",
    "vedit_recipe",
)
"""Tags that describe the old file, not the film; also whatever starts with ``_statistics`` or ``number_of``."""
TECHNICAL = ("handler_name", "creation_time", "name", "timecode")
"""Tags of streams that nobody misses."""
NAMES = {"mp4": "an MP4 file", "mov": "a MOV file", "matroska": "a Matroska file", "webm": "a WebM file"}
MOV_LANGUAGES = {
    **{"deu": "ger", "nld": "dut", "swe": "sve", "zho": "chi", "ell": "gre", "isl": "ice", "fre": "fra"},
    **{"rum": "ron", "cze": "ces", "slo": "slk", "wel": "cym", "sqi": "alb", "mkd": "mac", "hye": "arm"},
    **{"kat": "geo", "bod": "tib", "mya": "bur", "msa": "may", "eus": "baq", "fas": "iri", "per": "iri"},
}
"""ISO 639-2 has two codes for some languages; FFmpeg's MOV writer knows the second one here and drops the first."""
STAND_INS = {"mp4": ("pcm_s16le", "mov_text"), "mov": ("pcm_s16le", "mov_text")} | {
    "matroska": ("pcm_s16le", "subrip"),
    "webm": ("libopus", "webvtt"),
}
"""Sound and subtitles that a container takes, to try tags with."""


def kept_tags(tags: Mapping[str, str], container: str) -> dict[str, str]:
    """The tags of a film or stream that still hold in a new file, as FFmpeg's writer of that container knows them."""
    kept = {
        k: v
        for k, v in tags.items()
        if k.lower() not in STALE_TAGS
        and not k.lower().startswith(("_statistics", "number_of", "bps"))
        and not (k.endswith("-eng") and k.removesuffix("-eng") in tags)  # MP4 readers give such tags twice
    }
    if "name" in kept and "title" not in kept:  # what MP4 readers call a track's title
        kept["title"] = kept.pop("name")
    if container == "mov" and "language" in kept:
        kept["language"] = MOV_LANGUAGES.get(kept["language"], kept["language"])
    return kept


def recipe_tags(recipe: str | None, container: str, options: Mapping[str, str]) -> dict[str, str]:
    """The tags that say how a film was made, where nobody's own tags are.

    Matroska and WebM hold any tag. MP4 says what made it in the encoder's name, and MOV in a packet of XMP (ISO 16684);
    both hold any tag when they are written with ``tag_options`` of phones' films.
    """
    if recipe is None:
        return {}
    if container in ("mp4", "mov") and "use_metadata_tags" not in options.get("movflags", ""):
        return {"encoding_tool": recipe} if container == "mp4" else {"xmp": XMP[0] + escape(recipe) + XMP[1]}
    return {"vedit_recipe": recipe}


XMP = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    '<rdf:Description rdf:about="" xmlns:vedit="urn:vedit:"><vedit:recipe xml:space="preserve">',
    "</vedit:recipe></rdf:Description></rdf:RDF></x:xmpmeta>",
)
"""What stands around a recipe in a packet of XMP."""


def film_recipe(film: InputContainer, path: Path) -> str | None:
    """The recipe that a film carries, as ``recipe_tags`` wrote it; None when it carries none."""
    tags = {key.lower(): value for key, value in film.metadata.items()}
    if recipe := tags.get("vedit_recipe"):
        return recipe
    if tags.get("encoder", "").startswith("# vedit "):
        return tags["encoder"]
    if tags.get("major_brand", "").strip() != "qt":
        return None
    with open_film(path, export_xmp=True) as again:
        packet = again.metadata.get("xmp", "")
    if not (packet.startswith(XMP[0]) and packet.endswith(XMP[1])):
        return None
    return unescape(packet.removeprefix(XMP[0]).removesuffix(XMP[1]))


def kept_chapters(film: InputContainer, moved: Moved) -> list[Any]:
    """The film's chapters, moved to where what they name is shown."""
    chapters: list[Any] = film.chapters()
    for chapter in chapters:
        for side in ("start", "end"):
            base = Fraction(chapter["time_base"])
            chapter[side] = round(moved.shown(chapter[side] * base) / base)
    return chapters


def tag_options(tags: Mapping[str, str], container: str, cover: bool) -> dict[str, str]:
    """Muxer options for a film's tags.

    Phones' QuickTime files name their tags in full (``com.apple.quicktime.location.ISO6709``), which the usual way of
    writing drops. The way that keeps them is used for such films only: with it few players find title and artist, and
    a cover is lost.
    """
    named = any(key.startswith("com.apple.quicktime.") for key in tags)
    return {"movflags": "use_metadata_tags"} if named and not cover and container in ("mp4", "mov") else {}


def lost_tags(path: Path, container: str, kept: Sequence[int], cover: bool) -> list[str]:
    """A sentence for the tags of a film, and one for those of each kept stream, that a container does not keep.

    Found out by writing them beside stand-ins for the streams, and reading them back.
    """
    sound, text = STAND_INS[container]
    file = BytesIO()
    with open_film(path) as film:
        streams = [
            stream
            for stream in map(film.streams.__getitem__, kept)
            if stream.type in ("video", "audio", "subtitle")
            and not stream.disposition & Disposition.attached_pic
        ]
        options = tag_options(film.metadata, container, cover)
        try:
            with av.open(file, "w", format=container, container_options=options) as out:
                out.metadata.update(kept_tags(film.metadata, container))
                targets = [_stand_in(out, sound)]
                for stream in streams:
                    targets.append(_stand_in(out, text if stream.type == "subtitle" else sound))
                    targets[-1].metadata.update(kept_tags(stream.metadata, container))
                    targets[-1].disposition = stream.disposition
                for target in targets:
                    packet = Packet(b"\0\4text")
                    packet.stream, packet.time_base = target, Fraction(1, 1000)
                    packet.pts, packet.dts, packet.duration = 0, 0, 1
                    out.mux_one(packet)
            file.seek(0)
            with av.open(file) as written:
                sentences = [_lost("the film", film.metadata, written.metadata, container)]
                for stream, copy in zip(streams, list(written.streams)[1:], strict=False):
                    name = f"{stream.type} stream {stream.index}"
                    sentences.append(_lost(name, stream.metadata, copy.metadata, container))
                    gone = Disposition(stream.disposition & ~copy.disposition & ~Disposition.default)
                    if gone:
                        flags = ", ".join(str(flag.name).replace("_", " ") for flag in gone)
                        sentences.append(
                            f"{name} is no longer marked as {flags}: {NAMES[container]} cannot say so"
                        )
        except (FFmpegError, OSError, ValueError) as error:
            return [f"tags may be lost: they could not be tried out ({error})"]
    return [sentence for sentence in sentences if sentence]


def _stand_in(out: OutputContainer, codec: str) -> Stream:
    stream = out.add_stream(codec)
    if isinstance(stream, SubtitleStream):
        stream.codec_context.subtitle_header = HEADER
        stream.codec_context.time_base = Fraction(1, 1000)
    return stream


HEADER = b"[V4+ Styles]\nFormat: Name\nStyle: Default\n[Events]\nFormat: Text\n"


def _lost(whose: str, tags: Mapping[str, str], written: Mapping[str, str], container: str) -> str:
    """What is missing among the written tags, as a sentence; empty when nothing is."""
    there = {key.lower(): value for key, value in kept_tags(written, container).items()}
    # A timecode becomes a track of its own in MP4 and MOV, which stand-ins do not get.
    technical = TECHNICAL if whose != "the film" else ("timecode",)
    gone = []
    for key, value in kept_tags(tags, container).items():
        if key.lower() in technical or not value or value == "und":
            continue
        if there.get(key.lower()) != value and not (key == "location" and "location" in there):
            gone.append(key)
    return (
        f"tags of {whose} that {NAMES[container]} cannot hold are lost: {', '.join(sorted(gone))}"
        if gone
        else ""
    )
