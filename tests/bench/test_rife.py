"""RIFE as a plug-in: the published weights are not at hand, so checkpoints of the same names and shapes are made."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from vedit.bench.rife import load_rife
from vedit.errors import InputError

CPU = torch.device("cpu")
PARAMETERS = 5_664_776


def published(scale: float = 0.0, prefix: str = "module.") -> dict[str, Tensor]:
    """Every tensor of the published files of 4.25 and 4.26 but the teacher's, random of a scale."""
    shapes: dict[str, tuple[int, ...]] = {
        "encode.cnn0.weight": (16, 3, 3, 3),
        "encode.cnn0.bias": (16,),
        "encode.cnn1.weight": (16, 16, 3, 3),
        "encode.cnn1.bias": (16,),
        "encode.cnn2.weight": (16, 16, 3, 3),
        "encode.cnn2.bias": (16,),
        "encode.cnn3.weight": (16, 4, 4, 4),
        "encode.cnn3.bias": (4,),
    }
    for i, (given, width) in enumerate(((15, 192), (28, 128), (28, 96), (28, 64), (28, 32))):
        shapes[f"block{i}.conv0.0.0.weight"] = (width // 2, given, 3, 3)
        shapes[f"block{i}.conv0.0.0.bias"] = (width // 2,)
        shapes[f"block{i}.conv0.1.0.weight"] = (width, width // 2, 3, 3)
        shapes[f"block{i}.conv0.1.0.bias"] = (width,)
        for j in range(8):
            shapes[f"block{i}.convblock.{j}.beta"] = (1, width, 1, 1)
            shapes[f"block{i}.convblock.{j}.conv.weight"] = (width, width, 3, 3)
            shapes[f"block{i}.convblock.{j}.conv.bias"] = (width,)
        shapes[f"block{i}.lastconv.0.weight"] = (width, 52, 4, 4)
        shapes[f"block{i}.lastconv.0.bias"] = (52,)
    dice = torch.Generator().manual_seed(0)
    return {prefix + name: scale * torch.randn(shape, generator=dice) for name, shape in shapes.items()}


def saved(weights: dict[str, Tensor], folder: Path) -> Path:
    path = folder / "rife.safetensors"
    save_file(weights, path)
    return path


def pictures(height: int = 40, width: int = 70) -> tuple[Tensor, Tensor]:
    dice = torch.Generator().manual_seed(1)
    first, second = (torch.rand(1, 3, height, width, generator=dice) for _ in range(2))
    return first, second


def test_the_published_names_and_shapes_load_without_the_teacher(tmp_path: Path) -> None:
    weights = published(0.05)
    assert sum(weight.numel() for weight in weights.values()) == PARAMETERS
    teacher = {"module.teacher.conv0.0.0.weight": torch.zeros(4), "module.caltime.0.bias": torch.zeros(8)}
    net = load_rife(saved({**weights, **teacher}, tmp_path), CPU)
    assert sum(parameter.numel() for parameter in net.parameters()) == PARAMETERS
    first, second = pictures()
    early, late = net(first, second, 0.2), net(first, second, 0.8)
    assert early.shape == first.shape
    assert bool(early.isfinite().all())
    assert float((early - late).abs().mean()) > 1e-6, "the time is listened to"
    bare = load_rife(saved(published(0.05, prefix=""), tmp_path), CPU)
    assert torch.equal(bare(first, second, 0.2), early)


def test_weights_of_nothing_give_the_mean(tmp_path: Path) -> None:
    net = load_rife(saved(published(), tmp_path), CPU)
    first, second = pictures()
    assert torch.allclose(net(first, second, 0.3), (first + second) / 2, atol=1e-4)


@pytest.mark.parametrize(("block", "scale"), [(0, 16), (2, 4), (4, 1)])
def test_each_block_moves_the_pictures_by_its_scale(tmp_path: Path, block: int, scale: int) -> None:
    """Of a block's 52 channels four in a row are one of: flow to the first (x, y), to the second, mask, memory."""
    weights = published()
    bias = weights[f"module.block{block}.lastconv.0.bias"]
    bias[0:4], bias[12:16] = 3 / scale, -2 / scale
    weights["module.block4.lastconv.0.bias"][16:20] = 20  # the last mask: the first picture only
    first, second = pictures()
    made = load_rife(saved(weights, tmp_path), CPU)(first, second, 0.5)
    assert torch.allclose(made[..., :-3], first[..., 3:], atol=1e-3)
    weights["module.block4.lastconv.0.bias"][16:20] = -20
    made = load_rife(saved(weights, tmp_path), CPU)(first, second, 0.5)
    assert torch.allclose(made[..., 2:, :], second[..., :-2, :], atol=1e-3)


def test_a_block_sees_pictures_features_time_mask_memory_and_flow_in_this_order(tmp_path: Path) -> None:
    """The last block is wired to pass one of its 28 channels on as the mask; what it saw is read off the result."""
    first, second = ([0.1, 0.2, 0.3], [0.7, 0.8, 0.9])
    features, mask, memory, flow = (
        [0.11, 0.12, 0.13, 0.14],
        0.15,
        [0.2 + i / 100 for i in range(8)],
        [0.3, 0.4, 0.5, 0.6],
    )
    seen = [*first, *second, *features, *features, 0.25, mask, *memory, *flow]
    pictures = [torch.tensor(colour).view(1, 3, 1, 1).expand(1, 3, 64, 64) for colour in (first, second)]
    weights = published()
    weights["module.encode.cnn3.bias"][:] = torch.tensor(features)
    # The block before has scale 2, which its flow is in.
    told = [*(x / 2 for x in flow), mask, *memory]
    weights["module.block3.lastconv.0.bias"][:] = torch.tensor(told).repeat_interleave(4)
    weights["module.block4.conv0.1.0.weight"][0, 0, 1, 1] = 1
    weights["module.block4.lastconv.0.weight"][0, 16:20] = 0.25  # each pixel is reached by four of its taps
    for channel, value in enumerate(seen):
        weights["module.block4.conv0.0.0.weight"][:] = 0
        weights["module.block4.conv0.0.0.weight"][0, channel, 1, 1] = 1
        made = load_rife(saved(weights, tmp_path), CPU)(*pictures, 0.25)[0, :, 32, 32]
        share = torch.tensor(value).sigmoid()
        wanted = share * torch.tensor(first) + (1 - share) * torch.tensor(second)
        assert torch.allclose(made, wanted, atol=1e-4), f"channel {channel}"


def test_other_files_are_refused_with_what_to_do(tmp_path: Path) -> None:
    pickle = tmp_path / "flownet.pkl"
    torch.save(published(), pickle)
    with pytest.raises(InputError, match="pickles are not opened") as refused:
        load_rife(pickle, CPU)
    assert "save_file" in refused.value.remedy
    with pytest.raises(InputError, match="do not exist"):
        load_rife(tmp_path / "nothing.safetensors", CPU)
    lite = published()
    del lite["module.block4.lastconv.0.bias"]
    with pytest.raises(InputError, match=r"other weights .*block4\.lastconv"):
        load_rife(saved(lite, tmp_path), CPU)
    heavy = published() | {"module.encode.cnn3.weight": torch.zeros(16, 16, 4, 4)}
    with pytest.raises(InputError, match=r"other weights .*encode\.cnn3\.weight"):
        load_rife(saved(heavy, tmp_path), CPU)


def test_the_remedy_converts_a_pickle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save(published(0.05), "flownet.pkl")
    with pytest.raises(InputError) as refused:
        load_rife(Path("flownet.pkl"), CPU)
    exec(refused.value.remedy.split('python -c "')[1].rstrip('"'), {})  # noqa: S102 - our own words
    first, second = pictures()
    made = load_rife(Path("rife.safetensors"), CPU)(first, second, 0.5)
    assert torch.equal(made, load_rife(saved(published(0.05), tmp_path), CPU)(first, second, 0.5))
