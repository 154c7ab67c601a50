"""What the painters share: planes of light, the direction of form, marks that run along it.

A picture is (H,W,3) uint8 RGB; a plane is (H,W) float32. Lengths are pixels unless a name says otherwise.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
Plane = NDArray[np.float32]


def as_picture(colours: NDArray[np.floating]) -> Picture:
    """(H,W,3) colours in [0,1] as uint8, clipped and rounded."""
    return np.asarray(np.clip(colours, 0, 1) * 255 + 0.5, np.uint8)


def blur(values: NDArray[np.floating], sigma: float) -> Plane:
    """Gaussian blur of an (H,W) or (H,W,C) array, float32."""
    return np.asarray(cv2.GaussianBlur(values, (0, 0), max(sigma, 0.3)), np.float32)


def luminance(picture: Picture) -> Plane:
    """Luma of a picture in [0,1]."""
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY) / 255, np.float32)


def tones(picture: Picture) -> Plane:
    """Luma remapped so that any photograph spans black to white with clear shapes, in [0,1].

    Looks that draw in black alone need it: a foggy or dark frame would otherwise be blank or solid.
    Half of the mapping is the plane's own rank (equalisation), then shapes are lifted off what is around.
    """
    plane = luminance(picture)
    low, high = (float(p) for p in np.percentile(plane, (1, 99)))
    low = min(low, high - 0.15)  # a plain white sheet stays white
    stretched = np.clip((plane - low) / (high - low), 0, 1)
    tone = 0.5 * stretched + 0.5 * rank(plane)
    tone = tone + 0.6 * (tone - blur(tone, picture.shape[0] / 9))
    return np.asarray(np.clip(tone, 0, 1), np.float32)


def rank(plane: Plane) -> Plane:
    """Each value's place among all values of the plane, in [0,1]."""
    order = np.sort(plane[::3, ::3].ravel())
    flat = plane.ravel()
    place = np.searchsorted(order, flat) + np.searchsorted(order, flat, "right")  # equals share their middle
    return np.asarray(place.reshape(plane.shape) / (2 * order.size), np.float32)


@dataclass(frozen=True)
class Field:
    """Unit tangents of form at each pixel, (H,W,2) dx first, and how sure they are, (H,W) in [0,1]."""

    tangent: NDArray[np.float32]
    coherence: Plane

    def turned(self, degrees: float) -> "Field":
        """The same field with every direction turned by an angle."""
        c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
        x, y = self.tangent[..., 0], self.tangent[..., 1]
        return Field(np.stack((c * x - s * y, s * x + c * y), -1).astype(np.float32), self.coherence)


def form_field(picture: Picture, sigma: float) -> Field:
    """Direction along the edges, from the structure tensor (Kyprianidis & Döllner 2008).

    Where there is no edge within `sigma` pixels, ever wider neighbourhoods decide.
    """
    plane = blur(np.asarray(picture, np.float32).mean(-1) / 255, 1.0)
    gx, gy = cv2.Sobel(plane, cv2.CV_32F, 1, 0), cv2.Sobel(plane, cv2.CV_32F, 0, 1)
    products = np.stack((gx * gx, gx * gy, gy * gy), -1).astype(np.float32)
    tensor = blur(products, sigma)
    for wider, share in ((3, 0.1), (9, 0.02)):
        tensor = tensor + share * blur(products, sigma * wider)
    e, f, g = tensor[..., 0], tensor[..., 1], tensor[..., 2]
    angle = 0.5 * np.arctan2(2 * f, e - g) + np.pi / 2
    spread = np.sqrt((e - g) ** 2 + 4 * f**2)
    coherence = spread / (e + g + 1e-6)
    tangent = np.stack((np.cos(angle), np.sin(angle)), -1).astype(np.float32)
    return Field(tangent, coherence.astype(np.float32))


def paths(field: Field, length: float, steps: int) -> list[NDArray[np.float32]]:
    """Where each pixel's path along the field goes: positions (H,W,2), `steps` each way up to `length`."""
    height, width = field.coherence.shape
    xs, ys = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    start = np.stack((xs, ys), -1)
    step = np.float32(length / steps)
    found = [start]
    for sign in (1.0, -1.0):
        position, heading = start, field.tangent * np.float32(sign)
        for _ in range(steps):
            position = position + step * heading
            found.append(position)
            there = _sampled(field.tangent, position, cv2.INTER_NEAREST)
            # A tangent has no sign: keep going the way the path was going.
            heading = there * np.sign((there * heading).sum(-1, keepdims=True) + 1e-6)
            heading = np.asarray(heading, np.float32)
    return found


def _sampled(values: Plane, position: NDArray[np.float32], how: int) -> Plane:
    """Values of an (H,W) or (H,W,2) array at positions (H,W,2); outside, the border's."""
    x, y = position[..., 0], position[..., 1]
    return np.asarray(cv2.remap(values, x, y, how, borderMode=cv2.BORDER_REPLICATE), np.float32)


def smear(plane: Plane, route: list[NDArray[np.float32]]) -> Plane:
    """Line integral convolution: the mean of a plane along each pixel's path (Cabral & Leedom 1993)."""
    total = np.zeros_like(plane)
    for position in route:
        total += _sampled(plane, position, cv2.INTER_LINEAR)
    return total / np.float32(len(route))


def contours(plane: Plane, field: Field, sigma: float, threshold: float) -> Plane:
    """Drawn outlines, 1 = ink: difference of Gaussians smeared along the form (Winnemöller 2012).

    `sigma` is half a line's width; a line is drawn where the plane lies `threshold` under what is around.
    """
    difference = blur(plane, sigma) - blur(plane, sigma * 2)
    flowing = smear(difference, paths(field, sigma * 5, 4))
    ink = 0.5 - 0.5 * np.tanh((flowing + threshold) / (0.4 * threshold))
    return np.asarray(ink, np.float32)
