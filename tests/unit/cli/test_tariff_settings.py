"""What device time costs, as the settings say it."""

from pathlib import Path

import pytest

from bot.core.tariff import Money, Tariff
from bot.settings import SettingsInvalid, load_settings


def tariff(folder: Path, text: str = "", **variables: str) -> Tariff | None:
    """What a file and variables make."""
    (folder / "housestyle.toml").write_text(f"[tariff]\n{text}\n")
    return load_settings(folder=folder, environment={"HOME": str(folder), **variables}).tariff


def test_without_prices_there_is_no_tariff_and_not_one_of_zero(tmp_path: Path) -> None:
    assert tariff(tmp_path) is None
    assert tariff(tmp_path, "per_hour = 0") == Tariff(per_hour=0.0)


def test_a_price_may_be_whole_broken_or_in_the_environment(tmp_path: Path) -> None:
    assert tariff(tmp_path, "per_hour = 2") == Tariff(per_hour=2.0)
    assert tariff(tmp_path, 'per_hour = 2.5\ncurrency = "usd"') == Tariff(
        per_hour=2.5, currency="USD"
    )
    assert tariff(tmp_path, HOUSESTYLE_TARIFF_PER_HOUR="1.20") == Tariff(per_hour=1.2)


def test_electricity_is_added_to_the_hour(tmp_path: Path) -> None:
    both = tariff(tmp_path, "per_hour = 1\nwatts = 500\nper_kwh = 0.4")
    assert both is not None
    assert both.cost(3600) == pytest.approx(1.2)
    alone = tariff(tmp_path, "watts = 500\nper_kwh = 0.4")
    assert alone is not None
    assert alone.cost(1800) == pytest.approx(0.1)


@pytest.mark.parametrize(
    "text",
    [
        "watts = 500",
        "per_kwh = 0.4",
        'currency = "EUR"',
        'per_hour = "much"',
        "per_hour = nan",
        "per_hour = -1",
        "per_hour = true",
        'per_hour = 1\ncurrency = "euro"',
        'per_hour = 1\ncurrency = "€€€"',
    ],
)
def test_half_a_price_or_none_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(SettingsInvalid, match=r"tariff\."):
        tariff(tmp_path, text)


@pytest.mark.parametrize(
    ("amount", "currency", "shown"),
    [
        (0.002, "EUR", "0.2 ct"),
        (0.00034, "EUR", "0.03 ct"),
        (0.00002, "EUR", "<0.01 ct"),
        (0.0, "EUR", "0.00 EUR"),
        (0.35, "EUR", "35 ct"),
        (0.996, "EUR", "1.00 EUR"),
        (0.0996, "EUR", "10 ct"),
        (12.4, "EUR", "12.40 EUR"),
        (1234.5, "USD", "1,234.50 USD"),
        (0.35, "JPY", "0.35 JPY"),
    ],
)
def test_money_is_shown_as_people_read_it(amount: float, currency: str, shown: str) -> None:
    assert str(Money(amount=amount, currency=currency)) == shown
