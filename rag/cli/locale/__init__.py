"""French for the messages of Click, which looks them up through gettext.

`fr/LC_MESSAGES/messages.po` is the source; `make locale` compiles it. Import
this before Click.
"""

import gettext
import os
from pathlib import Path

os.environ["LANGUAGE"] = "fr"
gettext.bindtextdomain("messages", str(Path(__file__).parent))
