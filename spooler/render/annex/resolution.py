"""Step 2c: how large a picture's pixels are, as far as its file says; and that they are square.

Pixels are printed square. A file that says that its own are not (a fax of 204 × 98 dots to the inch) would be printed stretched, so it
is refused. A resolution that a library only assumes is none.
"""

from PIL import Image

from spooler.render.annex.values import BadAnnex
from spooler.render.codes import RenderCode

LEAST_DOTS, MOST_DOTS = 20.0, 5000.0
SQUARE_WITHIN = 0.01
_X, _Y, _UNIT = 0x011A, 0x011B, 0x0128
_PER_INCH = {2: 1.0, 3: 2.54}  # EXIF and TIFF: inches, centimetres
_JFIF_PER_INCH = {1: 1.0, 2: 2.54}


def resolution_of(image: Image.Image) -> float | None:
    """Return dots to the inch, None where the file does not say; raise BadAnnex where pixels are not square."""
    (across, down), per_inch = _stated(image)
    if not (across > 0 and down > 0):
        return None
    if abs(across / down - 1) > SQUARE_WITHIN:
        raise BadAnnex(RenderCode.ANNEX_DISTORTED, _NOT_SQUARE.format(across=across, down=down))
    dots = across * per_inch
    return dots if LEAST_DOTS <= dots <= MOST_DOTS else None


_NOT_SQUARE = (
    "图像的横纵分辨率不同（{across:g} × {down:g}），按方形像素印制会变形，请转换后重新提交。"
    "The pixels are not square ({across:g} × {down:g}): printed as squares the picture would be stretched."
)
Pair = tuple[float, float]


def _stated(image: Image.Image) -> tuple[Pair, float]:
    """Return what the file says across and down, and how many of its units make an inch (0: it says the shape alone)."""
    match image.format:
        case "PNG":
            shape = image.info.get("aspect", (0.0, 0.0))
            return (image.info["dpi"], 1.0) if "dpi" in image.info else (shape, 0.0)
        case "JPEG" if "jfif_density" in image.info and (
            image.info.get("jfif_unit") in _JFIF_PER_INCH or _tagged(image)[1] == 0
        ):
            return image.info["jfif_density"], _JFIF_PER_INCH.get(image.info.get("jfif_unit", 0), 0.0)
    return _tagged(image)


def _tagged(image: Image.Image) -> tuple[Pair, float]:
    tags = image.getexif()
    if _X not in tags or _Y not in tags:
        return (0.0, 0.0), 0.0
    try:
        return (float(tags[_X]), float(tags[_Y])), _PER_INCH.get(int(tags.get(_UNIT, 2)), 0.0)
    except (TypeError, ValueError, ZeroDivisionError):
        return (0.0, 0.0), 0.0
