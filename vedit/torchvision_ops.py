"""Let diffusers, transformers and controlnet-aux import beside a torchvision whose compiled ops do not load.

A torchvision built for another torch (CPU torch with a registry's CUDA torchvision, for one) fails at import with
``operator torchvision::nms does not exist``, because it registers fake kernels for ops that its shared library should
have defined, and takes most of diffusers, transformers and controlnet-aux with it. None of vedit's work calls those
ops. Defining just their schemas makes the import succeed; calling one still fails, with torch's own clear message.

Where torchao is installed diffusers imports it too, and it tells on stderr what is no concern of ours: that its CUDA
libraries do not load beside CPU torch, and that torch knows its enumerations by itself; diffusers, that it has none of
the tensors of old versions. Their loggers are kept from it.
"""

import importlib.util
import logging

import torch

_SCHEMAS = {
    "nms": "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms": "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
}
_NOISE = {
    "torchao": "Failed to load ",
    "torch.utils._pytree": "is an Enum subclass and is now natively supported",
    "diffusers.quantizers.torchao.torchao_quantizer": "Unable to import `torchao` Tensor objects",
}
"""By logger, what is not told."""
_library: torch.library.Library | None = None  # torch forgets the schemas when this is collected


def tolerate_torchvision() -> None:
    """Call before importing diffusers, transformers or controlnet_aux; does nothing where torchvision works."""
    global _library
    _hush_torchao()
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


def _hush_torchao() -> None:
    for name, words in _NOISE.items():
        logger = logging.getLogger(name)
        if not any(isinstance(known, _Without) for known in logger.filters):
            logger.addFilter(_Without(words))


class _Without(logging.Filter):
    """Lets pass what does not say some words."""

    def __init__(self, words: str) -> None:
        super().__init__()
        self.words = words

    def filter(self, record: logging.LogRecord) -> bool:
        return self.words not in record.getMessage()
