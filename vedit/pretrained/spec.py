"""A pretrained engine in one text, as settings name it: ``sd15 + motion=animatelcm + lora=film.safetensors=0.8``."""

from collections.abc import Callable

from vedit.errors import UsageError
from vedit.pretrained.checkpoint import Checkpoint
from vedit.pretrained.find import places

BUNDLED = "bundled"
JOINT = " + "
SINGLE = {
    "motion": "motion",
    "ip-adapter": "ip_adapter",
    "vae": "codec",
    "scheduler": "scheduler",
    "weights": "weights",
    "speed": "speed",
}
"""What may be said of a model once, and the field of `Checkpoint` it is."""
SEVERAL = ("lora", "controlnet")
REMEDY = (
    'Write "bundled", or a model (see `vedit engines`) and what is laid over it: '
    '"sd15 + motion=animatelcm + lora=film.safetensors=0.8 + controlnet=canny + ip-adapter=NAME + vae=taesd '
    '+ scheduler=lcm + weights=int8 + speed=compile,cache"; motion=none goes without.'
)


def read_engine(engine: str) -> Checkpoint | None:
    """The checkpoint that an engine's name means; None for the bundled engine.

    Raises:
        UsageError: a part of it cannot be read.
        EngineError: a name in it is none: neither known, nor a file or folder that is here, nor a hub id.
    """
    model, *terms = (part.strip() for part in engine.split(JOINT))
    if model == BUNDLED:
        if terms:
            raise UsageError(f"the bundled engine takes no {terms[0]!r}", REMEDY)
        return None
    single: dict[str, str | None] = {}
    several: dict[str, list[str]] = {name: [] for name in SEVERAL}
    for term in terms:
        name, equals, value = term.partition("=")
        if not equals or not value or (name not in SINGLE and name not in SEVERAL):
            raise UsageError(f"engine has the part {term!r}", REMEDY)
        if name in SEVERAL:
            several[name].append(value)
        elif SINGLE[name] in single:
            raise UsageError(f"engine names {name} twice", REMEDY)
        else:
            single[SINGLE[name]] = None if (name, value) == ("motion", "none") else value
    if not model:
        raise UsageError(f"engine is {engine!r}, which names no model", REMEDY)
    checkpoint = Checkpoint(
        model,
        motion=single.get("motion", "auto"),
        lora=tuple(several["lora"]),
        controlnet=tuple(several["controlnet"]),
        ip_adapter=single.get("ip_adapter"),
        codec=single.get("codec"),
        scheduler=single.get("scheduler"),
        weights=single.get("weights"),
        speed=tuple(filter(None, (single.get("speed") or "").split(","))),
    )
    places(checkpoint)
    return checkpoint


def with_engine_files(engine: str, rename: Callable[[str], str], exists: Callable[[str], bool]) -> str:
    """The engine's text with every file or folder it names replaced; a LoRA's weight and a control's kind stay."""
    return JOINT.join(_term(term.strip(), rename, exists) for term in engine.split(JOINT))


def _term(term: str, rename: Callable[[str], str], exists: Callable[[str], bool]) -> str:
    if exists(term):
        return rename(term)
    head, equals, rest = term.partition("=")
    if not equals:
        return term
    if exists(rest):
        return f"{head}={rename(rest)}"
    path, _, weight = rest.rpartition("=")
    if path and exists(path):  # a LoRA and its weight
        return f"{head}={rename(path)}={weight}"
    kind, _, path = rest.partition("=")
    return f"{head}={kind}={rename(path)}" if path and exists(path) else term
