"""Measurements and calibration; not part of the installed package."""
