"""The paths that flow-guided attention attends along."""

import pytest
import torch
from trajectory_rules import followed, random_pairs

from vedit.diffusion.trajectories import Trajectories, WindowFlows, follow
from vedit.flow.pairs import PairFlow


def pan(dx: float, dy: float, height: int, width: int) -> PairFlow:
    """Everything moves by the same, nothing is hidden."""
    flow = torch.tensor([float(dx), float(dy)]).view(1, 2, 1, 1).expand(1, 2, height, width)
    return PairFlow(flow, -flow, torch.zeros(1, 1, height, width), torch.zeros(1, 1, height, width))


def path_of(trajectories: Trajectories, token: int) -> list[int]:
    return next((path for path in trajectories.paths() if token in path), [token])


@pytest.mark.parametrize(
    ("seed", "height", "width", "scale"), [(0, 6, 9, 4), (1, 9, 6, 4), (2, 5, 7, 8), (3, 8, 12, 1)]
)
def test_paths_follow_the_written_rule(seed: int, height: int, width: int, scale: int) -> None:
    pairs = random_pairs(6, height * scale, width * scale, seed, reach=1.2 * scale)
    rule = followed(pairs, height, width)
    assert rule.collisions > 10
    assert rule.hidden > 10
    assert rule.left > 10
    assert follow(pairs, height, width).paths() == [path for path in rule.paths if len(path) > 1]


def test_each_token_lies_on_one_path_and_each_path_visits_a_frame_once() -> None:
    trajectories = follow(random_pairs(20, 48, 64, seed=4), 12, 16)
    tokens = [token for path in trajectories.paths() for token in path]
    assert len(tokens) == len(set(tokens))
    for path in trajectories.paths():
        frames = [token // (12 * 16) for token in path]
        assert frames == list(range(frames[0], frames[0] + len(path)))


def test_blocks_hold_paths_of_like_length() -> None:
    trajectories = follow(random_pairs(20, 48, 64, seed=5, reach=3), 12, 16)
    assert {block.tokens.shape[1] for block in trajectories.blocks} <= {2, 4, 8, 16, 21}
    for block in trajectories.blocks:
        lengths = block.valid.sum(1)
        length = block.tokens.shape[1]
        assert int(lengths.min()) > (16 if length == 21 else length // 2)
        assert int(lengths.max()) <= length
        if block.slots is None:
            assert bool(block.valid.all())
        else:
            assert torch.equal(block.tokens.flatten()[block.slots], block.tokens[block.valid])


def test_slow_motion_adds_up() -> None:
    """A pan by 0.3 cells a frame: 0, 0.3, 0.6, 0.9, 1.2, 1.5 cells on."""
    trajectories = follow([pan(0.3, 0, 6, 9)] * 5, 6, 9)
    assert [token % 54 for token in path_of(trajectories, 2)] == [2, 2, 3, 3, 3, 4]


def test_a_pan_by_half_a_cell_breaks_no_path() -> None:
    """4 pixels of 8: what lies between two cells goes to the same side everywhere."""
    trajectories = follow([pan(4, 4, 64, 96)] * 3, 8, 12)
    for token in (row * 12 + column for row in range(6) for column in range(10)):
        assert [place % 96 - token for place in path_of(trajectories, token)] == [0, 13, 13, 26]


def test_the_smaller_forward_backward_error_wins() -> None:
    """Cells 1 and 3 both come to cell 2: the way back leads to 3. Without one, the first goes on."""
    forward = torch.zeros(1, 2, 1, 5)
    forward[0, 0, 0, 1], forward[0, 0, 0, 3] = 1, -1
    forward[0, 0, 0, 2] = 9  # out of the picture
    backward = torch.zeros(1, 2, 1, 5)
    hidden = torch.zeros(1, 1, 1, 5)
    assert path_of(follow([PairFlow(forward, backward, hidden, hidden)], 1, 5), 5 + 2) == [1, 7]
    backward[0, 0, 0, 2] = 1
    assert path_of(follow([PairFlow(forward, backward, hidden, hidden)], 1, 5), 5 + 2) == [3, 7]


def test_the_nearest_to_the_centre_wins_where_errors_are_equal() -> None:
    forward = torch.zeros(1, 2, 1, 5)
    forward[0, 0, 0, 1], forward[0, 0, 0, 3], forward[0, 0, 0, 2] = 0.75, -0.875, 9
    hidden = torch.zeros(1, 1, 1, 5)
    # Each comes home to the pixel.
    backward = torch.zeros(1, 2, 1, 5)
    backward[0, 0, 0] = torch.tensor([0.0, 0.0, -1.0, 5.0, 0.0])
    pair = PairFlow(forward, backward, hidden, hidden)
    # 1.75 reads 0.75 * -1 = -0.75: no error. 2.125 reads -1 + 0.125 * 6 = -0.25: 1.125 off.
    assert path_of(follow([pair], 1, 5), 7) == [1, 7]
    backward[0, 0, 0] = torch.tensor([0.0, 0.0, 0.875, 0.875, 0.0])
    backward[0, 0, 0, 1] = -5.625
    # Now both are exact (-5.625 / 4 + 0.875 * 3 / 4 = -0.75), and 2.125 is nearer to 2.
    assert path_of(follow([PairFlow(forward, backward, hidden, hidden)], 1, 5), 7) == [3, 7]


def test_paths_end_where_the_flow_is_hidden_and_where_there_is_none() -> None:
    pair = pan(0, 0, 8, 8)
    hidden = torch.zeros(1, 1, 8, 8)
    hidden[..., :2, :2] = 1  # all of cell 0
    hidden[..., 0, 2] = 1  # a quarter of cell 1
    trajectories = follow([pair, PairFlow(pair.flow_fw, pair.flow_bw, hidden, hidden), None, pair], 4, 4)
    assert path_of(trajectories, 0) == [0, 16]
    assert path_of(trajectories, 1) == [1, 17, 33]
    assert path_of(trajectories, 32) == [32]
    assert path_of(trajectories, 48) == [48, 64]


def test_a_frame_alone_has_no_paths() -> None:
    assert follow([], 4, 6).blocks == ()
    assert WindowFlows([]).frames == 1


def test_the_same_flow_gives_the_same_paths() -> None:
    pairs = random_pairs(5, 48, 64, seed=6)
    first, second = follow(pairs, 12, 16), follow(pairs, 12, 16)
    for one, other in zip(first.blocks, second.blocks, strict=True):
        assert torch.equal(one.tokens, other.tokens)
        assert torch.equal(one.valid, other.valid)


def test_a_window_follows_each_grid_once() -> None:
    flows = WindowFlows(random_pairs(3, 32, 48, seed=7))
    assert flows.frames == 4
    assert flows.at(8, 12) is flows.at(8, 12)
    assert flows.at(4, 6).paths() == follow(random_pairs(3, 32, 48, seed=7), 4, 6).paths()
