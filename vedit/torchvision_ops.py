"""Let diffusers, transformers and controlnet-aux import beside a torchvision whose compiled ops do not load.

A torchvision built for another torch (CPU torch with a registry's CUDA torchvision, for one) fails at import with
``operator torchvision::nms does not exist``, because it registers fake kernels for ops that its shared library should
have defined, and takes most of diffusers, transformers and controlnet-aux with it. None of vedit's work calls those
ops. Defining just their schemas makes the import succeed; calling one still fails, with torch's own clear message.
"""

import importlib.util

import torch

_SCHEMAS = {
    "nms": "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms": "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
}
_library: torch.library.Library | None = None  # torch forgets the schemas when this is collected


def tolerate_torchvision() -> None:
    """Call before importing diffusers, transformers or controlnet_aux; does nothing where torchvision works."""
    global _library
    if _library is not None or importlib.util.find_spec("torchvision") is None:
        return
    try:
        import torchvision  # noqa: F401
    except RuntimeError as error:
        if "torchvision::nms" not in str(error):
            raise
        _library = torch.library.Library("torchvision", "DEF")  # type: ignore[no-untyped-call]
        for schema in _SCHEMAS.values():
            _library.define(schema)  # type: ignore[no-untyped-call]
