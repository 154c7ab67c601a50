from collections.abc import Callable

import numpy as np
import pytest

from vedit.video.tempo import Samples, Tempo

RATE = 16000


def voice(seconds: float = 1.5) -> Samples:
    """Two channels of a tone that glides, with overtones and pauses."""
    times = np.arange(round(seconds * RATE)) / RATE
    phase = 2 * np.pi * (150 * times + 40 * np.sin(2 * times))
    wave = (np.sin(phase) + 0.5 * np.sin(2 * phase) + 0.3 * np.sin(5 * phase)) * (times % 0.4 < 0.3)
    return np.stack([wave, -0.5 * wave]).astype(np.float32)


def played(sound: Samples, place: Callable[[int], float], length: int, block: int = 1024) -> Samples:
    tempo = Tempo(RATE, place)
    parts = [p for i in range(0, sound.shape[1], block) for p in tempo.stretched(sound[:, i : i + block])]
    return np.concatenate([*parts, *tempo.rest(length)], 1)


def test_at_its_own_speed_a_sound_is_itself() -> None:
    sound = voice()
    np.testing.assert_allclose(played(sound, float, sound.shape[1]), sound, atol=1e-6)


@pytest.mark.parametrize("stretch", [0.3, 0.5, 1.25, 3, 12])
def test_the_length_is_exact_and_blocks_do_not_matter(stretch: float) -> None:
    sound = voice()
    length = round(sound.shape[1] * stretch) + 1
    slow = played(sound, lambda sample: sample / stretch, length)
    assert slow.shape == (2, length)
    np.testing.assert_array_equal(slow, played(sound, lambda sample: sample / stretch, length, block=333))
    np.testing.assert_allclose(slow[1], -0.5 * slow[0], atol=1e-6)
    assert 0.8 < np.abs(slow[0]).max() / np.abs(sound[0]).max() < 1.1
    loudness = [np.square(s).mean() for s in (slow[0], sound[0])]
    assert 0.85 < loudness[0] / loudness[1] < 1.15


def test_where_time_stands_still_there_is_silence() -> None:
    sound = voice()
    second = RATE

    def place(sample: int) -> float:
        return min(sample, second) if sample < 2 * second else sample - second

    out = played(sound, place, sound.shape[1] + second)
    assert np.abs(out[:, second + 2000 : 2 * second - 2000]).max() == 0
    assert np.abs(out[:, 2 * second + 2000 :]).max() > 0.5
