"""What a user is told about his account."""

from __future__ import annotations

from steinmetz.erp.kit.language import Phrase

ROLE_TITLE = Phrase(en="Your role has changed", de="Ihre Rolle wurde geändert")
ROLE = Phrase(en="{by} has given you the role {role}.", de="{by} hat Ihnen die Rolle {role} gegeben.")

PASSWORD_TITLE = Phrase(en="Your password was set", de="Ihr Kennwort wurde neu gesetzt")
PASSWORD = Phrase(
    en="{by} has set a new password for you. If you do not know why, ask.",
    de="{by} hat ein neues Kennwort für Sie gesetzt. Wenn Sie nicht wissen warum, fragen Sie nach.",
)
