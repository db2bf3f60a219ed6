"""Wrong sign-ins are slowed down per address and per account; right ones cost nothing."""

from __future__ import annotations

from steinmetz.addresses import network_of
from steinmetz.erp.errors import TooManyRequests
from steinmetz.gcra import Denied, Gcra, Rate

PER_ADDRESS = Rate(burst=20, period_s=6)
"""Many people may share an address; a dictionary attack needs more than ten tries a minute."""
PER_ACCOUNT = Rate(burst=6, period_s=30)


class LoginThrottle:
    """Charges each attempt before it is checked and gives the charge back if it was right."""

    def __init__(self, per_address: Rate = PER_ADDRESS, per_account: Rate = PER_ACCOUNT) -> None:
        self._addresses = Gcra(per_address)
        self._accounts = Gcra(per_account)

    def check(self, address: str, account: str, now_s: float) -> None:
        """Raises `TooManyRequests` if an attempt would be refused now."""
        waits_s = [
            decision.retry_after_s
            for decision in (
                self._addresses.peek(network_of(address), now_s),
                self._accounts.peek(account, now_s),
            )
            if isinstance(decision, Denied)
        ]
        if waits_s:
            raise TooManyRequests(max(waits_s), "Too many wrong sign-ins. Wait before the next attempt.")

    def charge(self, address: str, account: str, now_s: float) -> None:
        """Count an attempt that begins. Raises `TooManyRequests`."""
        self.check(address, account, now_s)
        self._addresses.take(network_of(address), now_s)
        self._accounts.take(account, now_s)

    def give_back(self, address: str, account: str) -> None:
        """The attempt was right."""
        self._addresses.give_back(network_of(address))
        self._accounts.give_back(account)
