"""`housestyle budget` and `housestyle usage`."""

import pytest

from bot.cli.exits import ExitCode
from tests.fakes.command_line import Housestyle


def test_a_budget_is_set_listed_and_taken_away(housestyle: Housestyle) -> None:
    housestyle("init", "--brand", "Acme")
    assert "No budget is set" in housestyle("budget", "list").err
    done = housestyle("budget", "set", "brand", "acme", "--pictures", "500")
    assert done.code == ExitCode.OK
    assert done.out.startswith("Acme's budget: 500 pictures a month")
    assert housestyle("budget", "list").out == "brand\tAcme's\t0 %\t0 of 500 pictures\n"
    [facts] = housestyle("budget", "list", "--json").json
    assert facts["limits"] == {"pictures": 500, "cost": None}
    housestyle("budget", "set", "brand", "acme", "--pictures", "50", "--per-day")
    facts = housestyle("budget", "list", "--json").json
    assert [(f["scope"], f["per"], f["limits"]["pictures"]) for f in facts] == [
        ("brand", "month", 500),
        ("brand", "day", 50),
    ]
    assert housestyle("budget", "clear", "brand", "acme", "--per-day").code == ExitCode.OK
    assert housestyle("budget", "clear", "brand", "acme").code == ExitCode.OK
    assert housestyle("budget", "list", "--json").json == []


def test_money_needs_a_tariff(housestyle: Housestyle) -> None:
    housestyle("init", "--brand", "Acme")
    done = housestyle("budget", "set", "brand", "acme", "--cost", "20")
    assert done.code != ExitCode.OK
    assert "No tariff is set" in done.err


def test_a_budget_without_a_limit_or_with_no_number_is_refused(housestyle: Housestyle) -> None:
    housestyle("init", "--brand", "Acme")
    assert "Say a limit" in housestyle("budget", "set", "brand", "acme").err
    assert "whole number" in housestyle("budget", "set", "brand", "acme", "--pictures", "x").err
    assert "an amount" in housestyle("budget", "set", "brand", "acme", "--cost", "x").err


def test_usage_of_an_unused_month_is_zero_with_its_month(housestyle: Housestyle) -> None:
    housestyle("init", "--brand", "Acme")
    assert "Nothing was rendered" in housestyle("usage").err
    facts = housestyle("usage", "--month", "2026-02", "--json").json
    assert (facts["month"], facts["counted_in"], facts["tariff"]) == ("2026-02", "UTC", None)
    [brand] = facts["brands"]
    assert (brand["key"], brand["pictures"], brand["cost"]) == ("acme", 0, None)


def test_usage_of_no_month_or_no_brand_is_a_mistake(housestyle: Housestyle) -> None:
    housestyle("init", "--brand", "Acme")
    assert "isn't a month" in housestyle("usage", "--month", "March").err
    assert housestyle("usage", "--brand", "nike").code == ExitCode.NOT_FOUND


def test_a_picture_over_the_budget_is_held_and_says_so_with_its_code(
    housestyle: Housestyle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOUSESTYLE_GENERATION_ENGINE", "drawn")
    housestyle("init", "--brand", "Acme")
    housestyle("budget", "set", "brand", "acme", "--pictures", "0")
    done = housestyle("imagine", "a", "red", "mug")
    assert done.code == ExitCode.REFUSED
    assert "Held: it asks for 1 picture," in done.err
