"""Step 2b: the visible round seal, a drawing of our own: two rings, the registry's name along the arc, a star, its purpose below.

It shows where the seal is; what seals is the signature.
"""

from functools import lru_cache
from math import cos, pi, radians, sin

from spooler.render.outlines import outline

PURPOSE = "不动产登记专用章"
# Drawn in a circle of radius 1000 around 0, 0.
_RINGS = ((978, 34), (915, 8))
_NAME_RADIUS = 645
_NAME_SPAN = 225
_NAME_EM = 245
_PURPOSE_RADIUS = 680
_PURPOSE_SPAN = 100
_PURPOSE_EM = 165
_STAR_RADIUS = 300
_STAR_WAIST = 0.382  # of a regular pentagram
_KAPPA = 0.5523


@lru_cache(maxsize=256)
def seal_drawing(registry_name: str) -> str:
    """Return PDF operators for a seal of radius 1000 around the origin; colours are the caller's."""
    parts = [_ring(radius, width) for radius, width in _RINGS]
    parts += _along_top(registry_name) + _along_bottom(PURPOSE) + [_centre()]
    return "\n".join(parts)


def _ring(radius: float, width: float) -> str:
    k = radius * _KAPPA
    arcs = [(radius, k, k, radius, 0, radius), (-k, radius, -radius, k, -radius, 0)]
    arcs += [(-radius, -k, -k, -radius, 0, -radius), (k, -radius, radius, -k, radius, 0)]
    curves = " ".join(" ".join(f"{value:.1f}" for value in arc) + " c" for arc in arcs)
    return f"{width} w {radius} 0 m {curves} s"


def _along_top(text: str) -> list[str]:
    """Spread the characters over the upper arc, feet inwards, so that long names are set smaller."""
    step = min(_NAME_SPAN / max(len(text) - 1, 1), 30)
    em = min(_NAME_EM, 1.02 * radians(step) * _NAME_RADIUS)
    start = 90 + step * (len(text) - 1) / 2
    return [_glyph(c, em, start - i * step, _NAME_RADIUS, -90) for i, c in enumerate(text)]


def _along_bottom(text: str) -> list[str]:
    """Spread the characters over the lower arc, feet outwards."""
    step = _PURPOSE_SPAN / (len(text) - 1)
    start = 270 - _PURPOSE_SPAN / 2
    return [
        _glyph(c, _PURPOSE_EM, start + i * step, _PURPOSE_RADIUS + 0.88 * _PURPOSE_EM, 90) for i, c in enumerate(text)
    ]


def _glyph(character: str, em: float, angle: float, radius: float, turn: float) -> str:
    """Draw one character with the middle of its baseline at the angle and radius."""
    scale, direction = em / 1000, radians(angle + turn)
    a, b = scale * cos(direction), scale * sin(direction)
    x, y = radius * cos(radians(angle)), radius * sin(radians(angle))
    return f"q {a:.5f} {b:.5f} {-b:.5f} {a:.5f} {x:.2f} {y:.2f} cm 1 0 0 1 -500 0 cm {outline(character)} f Q"


def _centre() -> str:
    """A five-pointed star, one point up."""
    corners = []
    for i in range(10):
        radius = _STAR_RADIUS if i % 2 == 0 else _STAR_RADIUS * _STAR_WAIST
        angle = pi / 2 + i * pi / 5
        corners.append(f"{radius * cos(angle):.1f} {radius * sin(angle):.1f} {'l' if i else 'm'}")
    return f"{' '.join(corners)} h f"
