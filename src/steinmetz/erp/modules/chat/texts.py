"""What chat says to people by itself."""

from __future__ import annotations

from steinmetz.erp.kit.language import Phrase

ADDED_TITLE = Phrase(en="You are in a new channel", de="Sie sind in einem neuen Kanal")
ADDED = Phrase(
    en="{by} has added you to the channel “{channel}”.", de="{by} hat Sie in den Kanal „{channel}“ aufgenommen."
)
