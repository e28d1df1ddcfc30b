"""Tests: unit, contract, scenario, model and acceptance, with their fakes and benchmarks."""
