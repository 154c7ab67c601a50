"""What holds a pretrained engine's frames together, switched on and off by name."""

from vedit.errors import UsageError

AIDS = ("flow", "noise", "anchors", "fusion", "colour")
"""Attention along the flow, noise carried along it, what windows see of others, estimates fused along it, colours."""
AUTO = "auto"


def check_consistency(consistency: str) -> frozenset[str] | None:
    """The aids that a setting such as ``"flow,noise"`` names; none for "none", None for "auto".

    Raises:
        UsageError: there is no such aid.
    """
    if consistency == AUTO:
        return None
    if consistency == "none":
        return frozenset()
    named = [part.strip() for part in consistency.split(",")]
    for name in named:
        if name not in AIDS:
            raise UsageError(
                f"consistency has {name!r}",
                f'Give some of {", ".join(AIDS)}, such as "flow,noise"; or auto, or none.',
            )
    return frozenset(named)


def usual_aids(moves: bool) -> frozenset[str]:
    """What "auto" means: with a motion adapter, which ties frames together itself, windows need not see others."""
    return frozenset({"flow", "noise", "colour"} | (set() if moves else {"anchors"}))
