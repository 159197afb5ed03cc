"""The templates: what is printed where, read from templates/<kind>/<version>/template.toml and checked at start.

Geometry is data, never code: boxes are in mm from the top left corner of the true paper. A released version never changes.
"""

from spooler.daemon.installed import find_templates
from spooler.render.template.files import BadTemplate, load_template, load_templates
from spooler.render.template.model import (
    MM,
    Align,
    Blank,
    Box,
    Form,
    Frame,
    Label,
    Line,
    Part,
    Place,
    RedSeal,
    Rule,
    Serial,
    Sheet,
    Template,
    Type,
)

__all__ = [
    "MM",
    "Align",
    "BadTemplate",
    "Blank",
    "Box",
    "Form",
    "Frame",
    "Label",
    "Line",
    "Part",
    "Place",
    "RedSeal",
    "Rule",
    "Serial",
    "Sheet",
    "Template",
    "Type",
    "find_templates",
    "load_template",
    "load_templates",
]
