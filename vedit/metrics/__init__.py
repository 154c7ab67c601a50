"""Numbers that say how good a result is."""

from vedit.metrics.style import structure, style_distance
from vedit.metrics.temporal import flicker, join_ratio, warp_error

__all__ = ["flicker", "join_ratio", "structure", "style_distance", "warp_error"]
