"""Faces on the web: the chat, and the owner's private routes."""

import os

# Set before Gradio is imported: no telemetry, no hub (see docs/design.md).
os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
