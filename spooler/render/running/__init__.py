"""Sheets of plain paper that we draw from data, over as many pages as they need: the collateral list, the check-and-sign sheet.

model    templates/<kind>/<version>/sheet.toml as a value, checked at start
what     what each of the two kinds says: headings and rows
layout   headings and rows in, pages out: the table's head on each page, no row on two, 第 n 页 共 m 页
sheets   the version that a registry prints, laid out and drawn
"""

from spooler.render.running.layout import Laid
from spooler.render.running.sheets import Sheets, draw_laid

__all__ = ["Laid", "Sheets", "draw_laid"]
