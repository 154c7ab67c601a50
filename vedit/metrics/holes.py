"""How well holes in a film were filled, by the film's true pixels.

All take a clip's frames ``(F, C, H, W)`` in [0, 1], the true frames of the same shape, and masks ``(F, 1, H, W)``,
1 = hole; what is outside the holes does not count (but for `outside_difference`, where nothing else does). To measure
what a film of 8 bits would show, round to 255 levels before.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from vedit.errors import UsageError
from vedit.metrics.fidelity import MOST_DB, check_alike

FLAT_WINDOW = 65
"""Side of the window of `flat_ssim`, in pixels."""


def hole_psnr(frames: Tensor, truth: Tensor, masks: Tensor) -> Tensor:
    """Peak signal to noise ratio of all the holes' pixels together, at most 50 dB.

    Unlike that of whole frames it does not rise as holes get smaller.

    Returns:
        One number in dB, of the mean squared error over the holes of all frames.

    Raises:
        UsageError: the shapes do not fit, or there is no hole.
    """
    error = _in_holes((frames.double() - truth.double()).square(), _checked(frames, truth, masks))
    return (-10 * error.clamp_min(10 ** (-MOST_DB / 10)).log10()).float()


def seam_error(frames: Tensor, truth: Tensor, masks: Tensor) -> Tensor:
    """How wrong the step is where a filling meets the picture, in levels of 255 a pixel; 0 = the true picture.

    The mean of |grad(frames) - grad(truth)| (central differences) over a ring 3 pixels wide on the rims of the holes:
    the last pixel of the picture and the first two of the filling.

    Raises:
        UsageError: the shapes do not fit, or there is no hole.
    """
    hole = _checked(frames, truth, masks)
    ring = F.max_pool2d(hole, 3, 1, 1) * F.max_pool2d(1 - hole, 5, 1, 2)
    if not bool(ring.any()):
        raise UsageError("the holes fill their frames whole and have no rim", "Give smaller masks.")
    wrong = F.pad((frames - truth).float(), (1, 1, 1, 1), mode="replicate")
    across = (wrong[..., 1:-1, 2:] - wrong[..., 1:-1, :-2]) / 2
    down = (wrong[..., 2:, 1:-1] - wrong[..., :-2, 1:-1]) / 2
    return 255 * _in_holes((across.square() + down.square()).sqrt(), ring).float()


def hole_flicker(frames: Tensor, truth: Tensor, masks: Tensor) -> Tensor:
    """How much a filling changes from frame to frame other than the true picture does, in levels of 255.

    The mean of |d/dt (frames - truth)| over the holes of all frames but the first. A wrong filling that stays as it is
    relative to the true picture does not flicker.

    Raises:
        UsageError: the shapes do not fit, or there is no hole after the first frame.
    """
    hole = _checked(frames, truth, masks)
    return 255 * _in_holes((frames - truth).double().diff(dim=0).abs(), hole[1:]).float()


def outside_difference(frames: Tensor, given: Tensor, masks: Tensor) -> Tensor:
    """The largest difference outside the holes to the frames that were given, in levels of 255; 0 = not touched.

    Raises:
        UsageError: the shapes do not fit.
    """
    hole = _checked(frames, given, masks)
    return 255 * ((frames - given).abs() * (1 - hole)).max()


def flat_ssim(frames: Tensor, truth: Tensor) -> Tensor:
    """The SSIM of the inpainting papers, from STTN to ProPainter: a flat window of 65x65 pixels.

    That is ``structural_similarity(…, win_size=65, channel_axis=2, data_range=1)`` of scikit-image: sample covariances,
    only places where the window lies inside the picture, each channel by itself, then the mean. So large a window is
    kinder than the usual ones (`vedit.metrics.ssim` has the Gaussian of 11x11): the two do not compare.

    Args:
        frames: ``(F, C, H, W)`` in [0, 1], at least 65 pixels high and wide.
        truth: the true frames, the same shape.

    Returns:
        ``(F,)`` in [-1, 1].

    Raises:
        UsageError: the shapes differ, or the frames are smaller than the window.
    """
    check_alike(frames, truth)
    if min(frames.shape[-2:]) < FLAT_WINDOW:
        raise UsageError(
            f"frames of {frames.shape[-1]}x{frames.shape[-2]} are too small for this SSIM",
            f"Give at least {FLAT_WINDOW} pixels either way.",
        )
    x, y = frames.double(), truth.double()
    mean_x, mean_y, xx, yy, xy = (_box_mean(m) for m in (x, y, x * x, y * y, x * y))
    sample = FLAT_WINDOW**2 / (FLAT_WINDOW**2 - 1)
    var_x, var_y = sample * (xx - mean_x**2), sample * (yy - mean_y**2)
    both = sample * (xy - mean_x * mean_y)
    c1, c2 = 0.01**2, 0.03**2
    light = (2 * mean_x * mean_y + c1) / (mean_x**2 + mean_y**2 + c1)
    return (light * (2 * both + c2) / (var_x + var_y + c2)).mean((1, 2, 3)).float()


def _box_mean(maps: Tensor) -> Tensor:
    """Means over every window that lies inside, by running sums: its size costs nothing."""
    for dim in (2, 3):
        sums = F.pad(maps.cumsum(dim), (1, 0) if dim == 3 else (0, 0, 1, 0))
        size = maps.shape[dim] - FLAT_WINDOW + 1
        maps = (sums.narrow(dim, FLAT_WINDOW, size) - sums.narrow(dim, 0, size)) / FLAT_WINDOW
    return maps


def _in_holes(values: Tensor, hole: Tensor) -> Tensor:
    """The mean of ``(F, C, H, W)`` over the pixels that ``(F, 1, H, W)`` marks, and all channels."""
    if not bool(hole.any()):
        raise UsageError("there is no hole to measure in", "Give masks that mark something (1 = hole).")
    return (values * hole).sum(dtype=torch.float64) / (hole.sum(dtype=torch.float64) * values.shape[1])


def _checked(frames: Tensor, truth: Tensor, masks: Tensor) -> Tensor:
    """The masks as 0 and 1, float32."""
    check_alike(frames, truth)
    if masks.shape != (len(frames), 1, *frames.shape[-2:]):
        raise UsageError(
            f"masks of shape {tuple(masks.shape)} do not fit frames of shape {tuple(frames.shape)}",
            "Give (F, 1, H, W), one mask per frame.",
        )
    return (masks > 0).float()
