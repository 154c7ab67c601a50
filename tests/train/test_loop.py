"""The loop that all training shares, on a net of a few numbers."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from vedit.errors import InputError, OutputError, UsageError, VeditError
from vedit.train.loop import begin_from, check_new, train

SHORT = 0.004
"""Minutes."""


class Line(nn.Module):
    """y = a x + b, with b left alone."""

    def __init__(self, width: int = 1) -> None:
        super().__init__()
        self.slope = nn.Parameter(torch.zeros(width))
        self.rest = nn.Parameter(torch.ones(1), requires_grad=False)


class Course:
    """A training: the steps it took, what was saved, what was logged."""

    def __init__(self) -> None:
        self.steps: list[int] = []
        self.saved: list[float] = []
        self.said: list[str] = []

    def loss(self, net: Line, step: int, done: float) -> Tensor:
        assert 0 <= done < 1
        self.steps.append(step)
        return (net.slope - 3).square().mean()

    def run(
        self, state: Path, net: Line | None = None, *, minutes: float = SHORT, resume: bool = True
    ) -> Line:
        return train(
            net or Line(),
            self.loss,
            state.with_suffix(".safetensors"),
            minutes=minutes,
            rate=0.1,
            save=lambda average: self.saved.append(average.slope.mean().item()),
            resume=resume,
            log=self.said.append,
        )


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "line.state"


def test_it_learns_and_gives_and_saves_the_average(state: Path) -> None:
    course, net = Course(), Line()
    average = course.run(state, net)
    assert course.steps == list(range(len(course.steps)))
    assert course.saved == [average.slope.item()]
    assert 0.5 < average.slope.item() < 4
    assert average.rest.item() == net.rest.item() == 1
    assert [p.name for p in state.parent.iterdir()] == [state.name]


def test_it_goes_on_where_it_was(state: Path) -> None:
    first, second = Course(), Course()
    before = first.run(state)
    after = second.run(state, minutes=2 * SHORT)
    assert second.said[0] == f"going on from {state}: step {len(first.steps)}, {SHORT:.1f} min"
    assert second.steps[0] == len(first.steps)
    assert abs(after.slope.item() - 3) <= abs(before.slope.item() - 3) + 0.05


def test_minutes_that_are_over_train_no_more(state: Path) -> None:
    before = Course().run(state)
    again = Course()
    after = again.run(state)
    assert again.steps == []
    assert again.saved == [after.slope.item()] == [before.slope.item()]


def test_it_can_begin_afresh(state: Path) -> None:
    Course().run(state)
    again = Course()
    again.run(state, resume=False)
    assert again.steps[0] == 0
    assert not any("going on" in line for line in again.said)


@pytest.mark.parametrize(
    ("where", "minutes", "error"),
    [
        ("line.png", SHORT, UsageError),
        ("none/line.safetensors", SHORT, OutputError),
        ("line.safetensors", 0, UsageError),
        ("line.safetensors", -1, UsageError),
    ],
)
def test_what_could_not_be_kept_is_not_trained(
    where: str, minutes: float, error: type[VeditError], tmp_path: Path
) -> None:
    course = Course()
    with pytest.raises(error):
        train(Line(), course.loss, tmp_path / where, minutes=minutes, rate=0.1, save=lambda _: None)
    assert course.steps == []


@pytest.mark.parametrize("there", ["line.safetensors", "line.png"])
def test_what_is_there_is_not_written_over_unasked(there: str, tmp_path: Path) -> None:
    out = tmp_path / "line.safetensors"
    check_new(out, minutes=1, sheet=True)
    (tmp_path / there).touch()
    with pytest.raises(UsageError, match=there):
        check_new(out, minutes=1, sheet=True)
    check_new(out, minutes=1, sheet=True, overwrite=True)
    (tmp_path / "line.state").touch()
    check_new(out, minutes=1, sheet=True, resume=True)
    with pytest.raises(UsageError, match="minutes is nan"):
        check_new(tmp_path / "other.safetensors", minutes=float("nan"))


@pytest.mark.parametrize(
    "content", [None, b"no tensors", Line(width=2)], ids=["none", "other file", "other net"]
)
def test_weights_that_cannot_be_begun_from_are_named(content: bytes | Line | None, tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    if isinstance(content, Line):
        save_file(content.state_dict(), path)
    elif content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=r"weights\.safetensors cannot be begun from"):
        begin_from(Line(), path)


def other_net(state: Path) -> None:
    Course().run(state, Line(width=2))


def no_tensors(state: Path) -> None:
    state.write_text("no tensors here")


def half_written(state: Path) -> None:
    Course().run(state)
    state.write_bytes(state.read_bytes()[:-9])


@pytest.mark.parametrize("spoil", [other_net, no_tensors, half_written])
def test_what_is_not_its_state_is_refused(state: Path, spoil: Callable[[Path], None]) -> None:
    spoil(state)
    kept = state.read_bytes()
    with pytest.raises(InputError, match=r"line\.state cannot be gone on from .*--no-resume"):
        Course().run(state)
    assert state.read_bytes() == kept
