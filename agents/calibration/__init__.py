"""Calibration at the hall: how far a printer is off, measured on plain paper, and the correction under which verified pages are printed."""
