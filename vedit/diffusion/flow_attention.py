"""Flow-guided attention in any diffusers model: switched on around a run and off again, the model left as it was."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from inspect import signature
from typing import Any, NamedTuple

import torch
from torch import Tensor

from vedit.diffusion.anchors import past_motion
from vedit.diffusion.flow_guided import FlowGuided, Layout
from vedit.diffusion.trajectories import WindowFlows
from vedit.errors import EngineError, UsageError
from vedit.flow.pairs import PairFlow, pair_flow
from vedit.torchvision_ops import tolerate_torchvision


class Given(NamedTuple):
    """What a model was given: frames (None: its batch may hold copies), height and width, in latents or tokens.

    ``joint`` models attend to the tokens of all frames in one sequence, others to each frame's apart.
    """

    frames: int | None
    height: int
    width: int
    joint: bool


class Guidance:
    """Flow-guided attention in one model, while it is on.

    ``layers`` is how many self-attention layers are guided, ``taken`` how often one of them went along the paths:
    after one forward of the model the two are equal.
    """

    def __init__(self, name: str, flows: WindowFlows, anchors: int) -> None:
        self.layers = 0
        self.taken = 0
        self._name = name
        self._flows = flows
        self._anchors = anchors
        self._given: Given | None = None

    def sees(self, given: Given) -> None:
        """What the model was just given; the layers' grids follow from it."""
        if given.frames is not None and given.frames != self._anchors + self._flows.frames:
            raise self._wrong(f"was given {given.frames} frames")
        self._given = given

    def layout(self, features: Tensor) -> Layout:
        """Where the window's tokens lie in a layer's input ``(B,N,C)`` or ``(B,C,h,w)``.

        Raises:
            EngineError: they cannot be told.
        """
        if self._given is None:
            raise EngineError(
                f"flow-guided attention does not know what {self._name} was given",
                "Call the model itself, not its forward or its blocks.",
            )
        _, height, width, joint = self._given
        pictures = self._anchors + self._flows.frames
        rows = len(features)
        count = features.shape[1] if features.ndim == 3 else features.shape[2] * features.shape[3]
        if joint:
            if count < pictures * height * width:
                raise self._wrong(f"has {count} tokens where {pictures} x {height} x {width} should be")
            copies, stride, widening = rows, count, 0  # in one sequence all see the anchors already
        else:
            if rows % pictures:
                raise self._wrong(f"has {rows} pictures in a batch")
            height, width = self._level(count, height, width)
            copies, stride, widening = rows // pictures, pictures * count, self._anchors
        self.taken += 1
        paths = self._flows.at(height, width, features.device)
        return Layout(paths, copies, stride, self._anchors * height * width, widening)

    def _level(self, count: int, height: int, width: int) -> tuple[int, int]:
        """The grid of so many tokens among those that halving the latents, rounded up, leads to."""
        size = (height, width)
        while size[0] * size[1] > count and size != (1, 1):
            size = ((size[0] + 1) // 2, (size[1] + 1) // 2)
        if size[0] * size[1] != count:
            raise EngineError(
                f"{self._name} attends over {count} tokens, which no halving of its {height} x {width} latents has",
                "Flow-guided attention cannot follow this model; switch it off.",
            )
        return size

    def _wrong(self, what: str) -> EngineError:
        beside = f" after {self._anchors} anchors" if self._anchors else ""
        return EngineError(
            f"{self._name} {what}, but the flow is of a window of {self._flows.frames} frames{beside}",
            "Give the flows of exactly the frames (or latent frames) that the model sees.",
        )


@contextmanager
def flow_attention(model: Any, paths: WindowFlows, *, anchors: int = 0) -> Iterator[Guidance]:
    """Within, every spatial self-attention of ``model`` is guided by the flow; after, the model is as it was.

    The model may be a `UNet2DConditionModel` or `ControlNetModel` with the frames as its batch, a `UNetMotionModel`
    (its motion modules stay as they are), or a Wan, Wan VACE, LTX or LTX-2 transformer, whose latent frames count.
    The batch may hold copies of the window, one after another, as classifier-free guidance makes them.

    Args:
        model: the diffusers model; whatever processors its layers have go on working, see `FlowGuided`.
        paths: the window's flow.
        anchors: pictures that come before the window in each copy. All frames attend to their tokens as well as to
            their own; they lie on no paths, and motion modules do not see them. In a transformer, which attends
            to all frames in any case: latent frames before the window's, such as reference pictures.

    Raises:
        EngineError: the model cannot be guided, or, in its forward, what it is given does not fit the flow.
    """
    model = getattr(model, "_orig_mod", model)  # what torch.compile wrapped
    given_to, layers = _opened(model)
    guidance = Guidance(type(model).__name__, paths, anchors)
    guidance.layers = len(layers)
    with ExitStack() as stack:
        guided = {}
        for name, attn in layers.items():
            guided[name] = FlowGuided(attn, guidance.layout)
            stack.callback(guided[name].remove)

        def before(module: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
            for name, processor in guided.items():
                if layers[name].processor is not processor:
                    raise EngineError(
                        f"the attention processor of {name} was replaced while flow-guided attention was on",
                        "Set processors first, then switch flow-guided attention on.",
                    )
            given = signature(type(module).forward).bind(module, *args, **kwargs).arguments
            guidance.sees(given_to(module, given))

        hook = model.register_forward_pre_hook(before, with_kwargs=True)
        stack.callback(hook.remove)
        stack.enter_context(past_motion(model, anchors))
        yield guidance


def enable_flow_attention(pipe: Any, flows: Sequence[PairFlow | None] | Tensor, *, anchors: int = 0) -> None:
    """Guide the attention of a diffusers pipeline by the flow of the video it works on, until it is switched off.

    For AnimateDiff and other video pipelines, and for image-to-image with the frames as a batch; its ControlNets are
    guided too. Switching on again replaces the flow.

    Args:
        pipe: any pipeline with a U-Net, or a Wan or LTX transformer.
        flows: the F-1 consecutive pairs of the frames it is given (for pipelines whose codec merges frames: of its
            latent frames), or the frames ``(F,3,H,W)`` in [0, 1], from which they are estimated.
        anchors: see :func:`flow_attention`.

    Raises:
        UsageError: the frames have another shape.
        EngineError: the pipeline has no model that can be guided.
    """
    disable_flow_attention(pipe)
    parts = [getattr(pipe, name, None) for name in ("unet", "controlnet", "transformer", "transformer_2")]
    models = [model for part in parts if part is not None for model in getattr(part, "nets", [part])]
    if not models:
        raise EngineError(
            f"{type(pipe).__name__} has no U-Net and no transformer",
            "Give a pipeline that denoises pictures.",
        )
    paths = WindowFlows(_estimated(flows, _merged(pipe)) if isinstance(flows, Tensor) else flows)
    with ExitStack() as stack:
        for model in models:
            stack.enter_context(flow_attention(model, paths, anchors=anchors))
        pipe._flow_attention = stack.pop_all()


def disable_flow_attention(pipe: Any) -> None:
    """Leave the pipeline as it was before :func:`enable_flow_attention`; does nothing where that is off."""
    on: ExitStack | None = getattr(pipe, "_flow_attention", None)
    if on is not None:
        pipe._flow_attention = None
        on.close()


def _merged(pipe: Any) -> int:
    """How many frames the pipeline's codec merges into one latent frame."""
    names = ("vae_scale_factor_temporal", "vae_temporal_compression_ratio")
    return next((int(getattr(pipe, name)) for name in names if hasattr(pipe, name)), 1)


def _estimated(frames: Tensor, merged: int) -> list[PairFlow | None]:
    """The flow between the frames ``(F,3,H,W)`` that latent frames end with: the first, then every so many."""
    if frames.ndim != 4 or frames.shape[1] != 3:
        raise UsageError(
            f"frames have the shape {tuple(frames.shape)}", "Give them as (F, 3, H, W) in [0, 1]."
        )
    ends = frames[::merged].float()
    return [pair_flow(ends[i], ends[i + 1]) for i in range(len(ends) - 1)]


def _opened(model: Any) -> tuple[Callable[[Any, dict[str, Any]], Given], dict[str, Any]]:
    """How to tell what the model is given, and its self-attention layers over pictures, by name."""
    tolerate_torchvision()
    import diffusers
    from diffusers.models.attention_processor import Attention

    pictures = (diffusers.UNet2DConditionModel, diffusers.UNetMotionModel, diffusers.ControlNetModel)
    wan = (diffusers.WanTransformer3DModel, diffusers.WanVACETransformer3DModel)
    ltx = (diffusers.LTXVideoTransformer3DModel, diffusers.LTX2VideoTransformer3DModel)
    named = {name: module for name, module in model.named_modules() if ".motion_modules." not in name}
    if isinstance(model, pictures):
        # Blocks of Stable Diffusion have attn1; older ones hold bare attention layers with a norm of their own.
        layers = {
            name: module
            for name, module in named.items()
            if isinstance(module, Attention)
            and not module.is_cross_attention
            and (name.endswith(".attn1") or module.group_norm is not None)
        }
        given_to = _to_pictures
    elif isinstance(model, (*wan, *ltx)):
        layers = {name: module for name, module in named.items() if name.endswith(".attn1")}
        given_to = _to_wan if isinstance(model, wan) else _to_ltx
    else:
        layers = {}
    if not layers:
        raise EngineError(
            f"{type(model).__name__} has no self-attention that flow can guide",
            "Use a Stable Diffusion U-Net, AnimateDiff, Wan or LTX, or switch flow-guided attention off.",
        )
    return given_to, layers


def _to_pictures(model: Any, given: dict[str, Any]) -> Given:
    """Of ``(B,c,h,w)``, or of ``(copies,c,F,h,w)`` whose frames the model makes its batch."""
    sample = given["sample"]
    frames = sample.shape[2] if sample.ndim == 5 else None
    return Given(frames, sample.shape[-2], sample.shape[-1], joint=False)


def _to_wan(model: Any, given: dict[str, Any]) -> Given:
    """Of ``(copies,c,T,h,w)``, cut into patches."""
    frames, height, width = (
        size // patch
        for size, patch in zip(given["hidden_states"].shape[2:], model.config.patch_size, strict=True)
    )
    return Given(frames, height, width, joint=True)


def _to_ltx(model: Any, given: dict[str, Any]) -> Given:
    """Of tokens ``(copies,N,c)``: as the pipeline says, else from where it says that each token lies."""
    if (coords := given.get("video_coords")) is not None and given.get("num_frames") is None:
        height, width = (len(torch.unique(coords[0, axis])) for axis in (1, 2))
        return Given(given["hidden_states"].shape[1] // (height * width), height, width, joint=True)
    return Given(given["num_frames"], given["height"], given["width"], joint=True)
