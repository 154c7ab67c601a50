"""Write a file of the bundled engine's weights in half its room (see `vedit.weight_files`)."""

from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from vedit.errors import InputError, OutputError, UsageError
from vedit.weight_files import narrowed


def shrink(source: Path, output: Path) -> tuple[int, int]:
    """Write the weights of ``source`` to ``output`` with those of layers in 8 bits; the two sizes in bytes.

    Whatever reads the weights of the bundled engine reads the smaller file as well.

    Raises:
        InputError: the source is no file of weights.
        UsageError: it cannot be made smaller, or is also the output.
        OutputError: the output cannot be written.
    """
    if output.resolve() == source.resolve():
        raise UsageError(f"{output} would be written over", "Give -o another name.")
    try:
        weights = load_file(source)
    except (OSError, SafetensorError) as error:
        raise InputError(
            f"{source} is no file of weights ({str(error).splitlines()[0]})",
            "Give a .safetensors file that `vedit train` wrote.",
        ) from error
    small = narrowed(weights)
    if small.keys() == weights.keys():
        raise UsageError(f"{source} holds no layer's weights as floats", "It may be in 8 bits already.")
    part = output.with_name(f".{output.name}.part")
    try:
        save_file({name: tensor.contiguous() for name, tensor in small.items()}, part)
        part.replace(output)
    except (OSError, SafetensorError) as error:
        part.unlink(missing_ok=True)
        raise OutputError(
            f"{output} cannot be written ({str(error).splitlines()[0]})",
            "Give -o a file in a folder that is there.",
        ) from error
    return source.stat().st_size, output.stat().st_size
