"""The version of Recoupe, which any room may tell."""

VERSION = "0.1.0"
