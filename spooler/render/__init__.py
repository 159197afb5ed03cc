"""Step 2 (render): content in, the print document out. See `renderer` for the whole of it."""

from spooler.render.codes import WARNINGS, RenderCode
from spooler.render.content import AnnexFile, Content, Finding, Number, Rendered, Unprintable
from spooler.render.fonts import FontMissing
from spooler.render.renderer import Renderer
from spooler.render.template import BadTemplate, find_templates

__all__ = [
    "WARNINGS",
    "AnnexFile",
    "BadTemplate",
    "Content",
    "Finding",
    "FontMissing",
    "Number",
    "RenderCode",
    "Rendered",
    "Renderer",
    "Unprintable",
    "find_templates",
]
