"""Tariff: what an hour of the device costs, and money as people read it."""

from dataclasses import dataclass

SUBUNITS = {"EUR": "ct", "USD": "¢", "GBP": "p", "CHF": "Rp."}
"""What a hundredth is called. Other currencies are shown whole."""
NO_TARIFF = "no tariff set"


@dataclass(frozen=True, kw_only=True)
class Money:
    """An amount of one currency."""

    amount: float
    currency: str

    def __str__(self) -> str:
        """ "0.2 ct", "35 ct", "12.40 EUR"; a trace is said to be one."""
        small = SUBUNITS.get(self.currency)
        if small is None or abs(self.amount) >= 0.995 or self.amount == 0:
            return f"{self.amount:,.2f} {self.currency}"
        cents = self.amount * 100
        if 0 < cents < 0.01:
            return f"<0.01 {small}"
        digits = 0 if cents >= 9.95 else 1 if cents >= 0.095 else 2
        return f"{cents:.{digits}f} {small}"


@dataclass(frozen=True, kw_only=True)
class Tariff:
    """What device time costs: a price per hour, electricity, or both."""

    per_hour: float = 0.0
    """Money per hour of the device."""
    currency: str = "EUR"
    watts: float = 0.0
    """What the device draws while it renders."""
    per_kwh: float = 0.0
    """Money per kilowatt hour."""

    @property
    def hourly(self) -> float:
        """Price per hour with electricity."""
        return self.per_hour + self.watts / 1000 * self.per_kwh

    def cost(self, seconds: float) -> float:
        """The price of so much device time."""
        return self.hourly * seconds / 3600

    def money(self, seconds: float) -> Money:
        """The same with its currency."""
        return Money(amount=self.cost(seconds), currency=self.currency)
