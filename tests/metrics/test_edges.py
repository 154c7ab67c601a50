import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from vedit.errors import UsageError
from vedit.metrics import ghosts, sharpness


def scene(left: int) -> Tensor:
    """A light square of 24 pixels on a soft, dark ground, its left side at ``left``, ``(1, 3, 64, 96)``."""
    coarse = torch.rand(1, 3, 4, 6, generator=torch.Generator().manual_seed(0))
    picture = 0.2 + 0.2 * F.interpolate(coarse, size=(64, 96), mode="bicubic")
    picture[..., 20:44, left : left + 24] += 0.5
    return blurred(picture.clamp(0, 1))


def blurred(picture: Tensor, times: int = 1) -> Tensor:
    for _ in range(times):
        picture = F.avg_pool2d(F.pad(picture, (1, 1, 1, 1), mode="replicate"), 3, stride=1)
    return picture


def noise(like: Tensor, deviation: float) -> Tensor:
    return deviation * torch.randn(like.shape, generator=torch.Generator().manual_seed(1))


def test_a_blend_of_two_shifted_pictures_has_ghosts_and_sharp_ones_have_not() -> None:
    truth = scene(36)
    blend = (scene(26) + scene(46)) / 2
    assert float(ghosts(truth, truth)) == 0
    assert float(ghosts(scene(38), truth)) < 0.001, "an edge two pixels off is the same edge"
    assert float(ghosts(scene(34), truth)) < 0.001
    assert float(ghosts(blend, truth)) > 0.2
    assert float(ghosts(blend, truth)) > 100 * float(ghosts(scene(38), truth))
    wider = (scene(16) + scene(56)) / 2
    assert float(ghosts(wider, truth)) > 0.2, "nor does it matter how far off the ghosts are"


def test_a_fainter_ghost_counts_less() -> None:
    truth = scene(36)
    shares = [float(ghosts(torch.lerp(truth, scene(50), share), truth)) for share in (0, 0.1, 0.3, 0.5)]
    assert shares[0] == 0
    assert shares == sorted(shares)
    assert 0.0005 < shares[1] < shares[3] / 5


def test_an_edge_in_a_wrong_place_is_a_ghost_and_a_missing_one_is_not() -> None:
    truth, empty = scene(36), scene(0)[..., 24:48].repeat(1, 1, 1, 4)
    assert float(ghosts(scene(46), truth)) > 0.2
    assert float(ghosts(blurred(truth, 3), truth)) == 0
    assert float(ghosts(truth * 0.7, truth)) == 0
    assert float(ghosts(empty * 0, truth)) == 0


def test_grain_and_flat_pictures_have_no_ghosts() -> None:
    truth = scene(36)
    assert float(ghosts(truth + noise(truth, 1.5 / 255), truth)) < 0.001
    flat = torch.full_like(truth, 0.5)
    assert float(ghosts(flat + 1 / 255, flat)) == 0
    assert 0.5 < float(ghosts(truth, flat)) < 1


def test_sharpness_is_below_one_for_soft_frames_and_above_for_noisy_ones() -> None:
    truth = torch.cat([scene(36), scene(20)])
    assert sharpness(truth, truth).tolist() == [1, 1]
    soft, noisy = blurred(truth), truth + noise(truth, 0.05)
    assert float(sharpness(soft, truth).max()) < 0.8
    assert float(sharpness(noisy, truth).min()) > 1.2
    mixed = torch.stack([soft[0], truth[1]])
    assert sharpness(mixed, truth)[1] == 1, "each frame by itself"
    # Half the contrast is a quarter of the energy.
    assert sharpness(truth / 2, truth).tolist() == pytest.approx([0.25, 0.25], rel=0.01)


def test_pictures_without_an_edge_are_equally_sharp() -> None:
    flat = torch.full((1, 3, 8, 8), 0.5)
    assert float(sharpness(flat, flat + 0.1)) == pytest.approx(1, rel=1e-3)


def test_what_has_no_edges_to_measure_is_refused() -> None:
    for measure in (ghosts, sharpness):
        for shape in ((1, 1, 8, 8), (1, 4, 8, 8), (1, 3, 2, 8)):
            with pytest.raises(UsageError, match="no edges"):
                measure(torch.zeros(shape), torch.zeros(shape))
        with pytest.raises(UsageError, match="cannot be compared"):
            measure(torch.zeros(1, 3, 8, 8), torch.zeros(2, 3, 8, 8))
