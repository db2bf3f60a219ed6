"""How big the seeded company is; pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Scale:
    """The counts that are met exactly.

    Employees stand to invoices as 1 to 20: the company's prices, wages and capital are balanced for that, so that
    its bank account stays above zero at every scale.
    """

    name: str
    employees: int
    customers: int
    invoices: int
    """Over the last two years, drafts and cancelled ones among them."""
    time_entries: int
    """The newest so many: they reach back as far as that takes."""
    jobs: int
    departments: int = 8
    areas: int = 11
    """Of the catalogue; all of them, but for tests."""

    @property
    def posting_lines(self) -> int:
        """About as many: what sending, paying, buying and running the company come to."""
        return 6 * self.invoices


TINY = Scale("tiny", employees=10, customers=16, invoices=200, time_entries=600, jobs=8, areas=1)
"""For tests."""

DEMO = Scale("demo", employees=250, customers=400, invoices=5_000, time_entries=40_000, jobs=60)

LARGE = Scale("large", employees=6_250, customers=10_000, invoices=125_000, time_entries=1_000_000, jobs=1_500)
"""25 times the demo in everything but departments and catalogue."""

SCALES = {scale.name: scale for scale in (DEMO, LARGE)}
"""What the command line offers."""
