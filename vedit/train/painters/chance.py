"""What is accidental in a painting, read from a grid of white noise and from nothing else.

A denoiser starts from noise on the grid of the latents. Painters that take their accidents (strokes, grain, hatching,
cells) from that very noise make pairs in which the noise says where each mark goes, so the denoiser learns to read it
there: marks are crisp after few steps, and when the noise is carried along the flow, the marks go with it. Pairing
noise with data this way is a coupling in the sense of Albergo et al., "Stochastic Interpolants with Data-Dependent
Couplings", ICML 2024.

For that, a painter must be a *local* function of the noise that does not know where the picture's corner is: shift
picture and noise by whole cells and the painting shifts with them. So strokes begin where the noise has its maxima,
not on a jittered grid, and nothing is drawn from a generator.
"""

from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from vedit.train.painters.field import Plane, blur

CELL = 4
"""Pixels per cell of noise: those of a latent."""
CHANNELS = 8


@dataclass(frozen=True)
class Chance:
    """White noise ``(8, h, w)``, deviation 1, under a picture of ``height x width`` pixels, h = ceil(height / 4)."""

    noise: NDArray[np.float32]
    height: int
    width: int

    @classmethod
    def seeded(cls, height: int, width: int, seed: int) -> "Chance":
        """The noise that a seed gives a picture of this size."""
        generator = torch.Generator().manual_seed(seed)
        cells = torch.randn((CHANNELS, -(-height // CELL), -(-width // CELL)), generator=generator)
        return cls(cells.numpy(), height, width)

    def grain(self, size: float, channel: int) -> Plane:
        """Blobs of about ``size`` pixels, mean 0, deviation 1, ``(height, width)``.

        Under 8 pixels the channel and the three after it (of the eight, in a ring) are the four quarters of each
        cell; from 8 pixels on one channel is enough. Different channels are independent.
        """
        if size < 2 * CELL:
            quarters = [self.noise[(channel + i) % CHANNELS] for i in range(4)]
            rows, columns = quarters[0].shape
            parts = np.stack(quarters, -1).reshape(rows, columns, 2, 2).transpose(0, 2, 1, 3)
            plane, step = np.asarray(parts.reshape(2 * rows, 2 * columns), np.float32), CELL / 2
        else:
            plane, step = np.asarray(self.noise[channel % CHANNELS], np.float32), float(CELL)
        sigma = max(size / 4 / step, 0.3)
        soft = blur(np.ascontiguousarray(plane), sigma)
        # The deviation of white noise after this blur; enlarging takes a little more away.
        soft = soft * np.float32(max(1.0, 2 * np.sqrt(np.pi) * sigma))
        large = cv2.resize(soft, None, fx=step, fy=step, interpolation=cv2.INTER_CUBIC)
        return np.asarray(large[: self.height, : self.width], np.float32)

    def cloud(self, size: float, channel: int, octaves: int = 4) -> Plane:
        """Sum of grain at size, size/2, size/4 … with halving weight, deviation about 1; one channel after another."""
        weights = 0.5 ** np.arange(octaves)
        plane = np.zeros((self.height, self.width), np.float32)
        for i, weight in enumerate(weights):
            plane += self.grain(size / 2**i, channel + i) * np.float32(weight)
        return plane / np.float32(np.sqrt((weights**2).sum()))

    def spots(self, spacing: float, channel: int) -> NDArray[np.float32]:
        """Scattered points ``(N, 2)``, x first, about ``spacing`` pixels apart: the maxima of the channel's grain.

        Each is found to a fraction of a pixel, and they come in raster order, which must not matter to a painter.
        """
        plane = self.grain(max(spacing * 1.1, CELL), channel)
        radius = max(1, round(spacing * 0.4))
        window = np.ones((2 * radius + 1, 2 * radius + 1), np.uint8)
        peak = (plane >= cv2.dilate(plane, window)) & np.isfinite(plane)
        rows, columns = np.nonzero(peak)
        return np.stack((columns, rows), -1).astype(np.float32)

    def at(self, points: NDArray[np.floating], channel: int) -> NDArray[np.float32]:
        """A number for each point ``(N, 2)``, mean 0, deviation 1: the noise of the cell that it lies in."""
        rows, columns = self.noise.shape[1:]
        column = np.clip((points[:, 0] / CELL).astype(int), 0, columns - 1)
        row = np.clip((points[:, 1] / CELL).astype(int), 0, rows - 1)
        return np.asarray(self.noise[channel % CHANNELS, row, column], np.float32)

    def uniform(self, points: NDArray[np.floating], channel: int) -> NDArray[np.float32]:
        """The same spread evenly over [-1, 1]."""
        normal = torch.from_numpy(np.ascontiguousarray(self.at(points, channel)))
        return np.asarray(torch.erf(normal / 2**0.5).numpy(), np.float32)
