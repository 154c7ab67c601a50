"""The facts of a film, for people and for programs."""

from fractions import Fraction

from rich.table import Table

from vedit.video.source import UNKNOWN, Source

_RANGES = {1: "limited", 2: "full"}


def describe(source: Source) -> dict[str, object]:
    """The facts as plain values for JSON; exact numbers as strings such as ``24000/1001``."""
    video = source.video
    return {
        "path": str(source.path),
        "format": source.format,
        "video": {
            "index": video.index,
            "codec": video.codec,
            "pix_fmt": video.pix_fmt,
            "width": video.width,
            "height": video.height,
            "sar": str(video.sar),
            "bit_depth": video.bit_depth,
            "alpha": video.alpha,
            "colour": {
                "matrix": video.colour.matrix,
                "range": video.colour.range,
                "primaries": video.colour.primaries,
                "transfer": video.colour.transfer,
            },
            "hdr": video.colour.is_hdr,
            "field_order": video.field_order,
            "rotation": video.rotation,
            "mirrored": video.mirrored,
        },
        "frames": source.frames,
        "rate": str(source.rate) if source.rate else None,
        "time_base": str(source.time_base),
        "start": str(source.pts[0] * source.time_base),
        "duration": str(source.duration),
        "stamped": source.stamped,
        "streams": [
            {"index": s.index, "kind": s.kind, "codec": s.codec, "language": s.language, "title": s.title}
            for s in source.streams
        ],
        "chapters": source.chapters,
        "remarks": list(source.remarks),
        "recipe": source.recipe,
    }


def table(source: Source) -> Table:
    """The facts as a table of two columns."""
    video = source.video
    rows = Table(title=str(source.path), title_justify="left", show_header=False, box=None)
    rows.add_column(style="bold")
    rows.add_column(overflow="fold")
    picture = f"{video.width}x{video.height} {video.codec}, {video.pix_fmt}, {video.bit_depth} bit"
    rows.add_row("picture", picture + (", alpha" if video.alpha else ""))
    if turned := _turned(source):
        rows.add_row("turned", turned)
    if video.sar != 1:
        rows.add_row("pixels", f"{video.sar.numerator}:{video.sar.denominator} wide:high")
    rows.add_row("frames", f"{source.frames}, {rate_in_words(source.rate)}, {video.field_order}")
    rows.add_row(
        "duration", f"{float(source.duration):.3f} s from {float(source.pts[0] * source.time_base):.3f} s"
    )
    rows.add_row("colour", _colour(source))
    for stream in source.streams:
        words = [stream.codec, stream.language, stream.title and f"“{stream.title}”"]
        rows.add_row(
            "cover art" if stream.is_picture else stream.kind, ", ".join(word for word in words if word)
        )
    if source.chapters:
        rows.add_row("chapters", str(source.chapters))
    if source.recipe:
        rows.add_row("edited", "by vedit; `--recipe` prints how")
    rows.add_row("container", f"{source.format}, ticks of {source.time_base} s")
    for remark in source.remarks:
        rows.add_row("remark", remark)
    return rows


def rate_in_words(rate: Fraction | None) -> str:
    """Frames per second, exact where that is not a whole number."""
    if rate is None:
        return "variable rate"
    return f"{rate} fps" if rate.denominator == 1 else f"{float(rate):.5g} fps ({rate})"


def _turned(source: Source) -> str:
    mirrored = "mirrored" if source.video.mirrored else ""
    turned = f"{source.video.rotation} degrees clockwise" if source.video.rotation else ""
    return ", ".join(word for word in (mirrored, turned) if word)


def _colour(source: Source) -> str:
    colour = source.video.colour
    codes = {"matrix": colour.matrix, "primaries": colour.primaries, "transfer": colour.transfer}
    tags = [f"{name} {code}" for name, code in codes.items() if code != UNKNOWN]
    if colour.range in _RANGES:
        tags.append(f"{_RANGES[colour.range]} range")
    return ", ".join([*tags, *(["HDR"] if colour.is_hdr else [])]) or "not tagged"
