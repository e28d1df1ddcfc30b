"""Eight-bit weights and compiled modules: smaller or faster, and bits still depend on no one."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from generation.engines import EngineUnusable
from tests.unit.generation.fleets import new_fleet

if TYPE_CHECKING:
    from generation.engine.library.fleet import Fleet

pytestmark = [pytest.mark.model, pytest.mark.filterwarnings("ignore")]


def fleet_with(models: Path, quantize: str) -> "Fleet":
    from generation.engine.device import choose_device

    return new_fleet(models, device=choose_device("cpu", "auto", 1, quantize=quantize))


@pytest.mark.parametrize("layout", ["sd1", "sdxl", "sd3", "flux"])
@pytest.mark.parametrize("form", ["int8", "fp8"])
def test_eight_bit_weights_take_less_memory_and_answer_nearly_the_same(
    tiny_family: Path, layout: str, form: str
) -> None:
    import torch

    with new_fleet(tiny_family).use(layout) as plain:
        signature = plain.signature(64, 64)
        rows = plain.denoiser.sample_rows(signature, 2, seed=1)
        wanted = plain.denoiser.predict(signature, rows, 2)
    fleet = fleet_with(tiny_family, form)
    with fleet.use(layout) as model:
        found = model.denoiser.predict(signature, rows, 2)
        assert model.bytes < plain.bytes
        assert model.dtype == f"float32+{form}"
        assert fleet.reproduction(layout, "e/1").dtype == model.dtype
        stored = [b for name, b in model.module.named_buffers() if name.endswith("stored")]
        assert stored
        assert {tensor.element_size() for tensor in stored} == {1}
    apart = torch.corrcoef(torch.stack([found.flatten(), wanted.flatten()]))[0, 1]
    assert float(apart) > 0.7  # roundings grow in the tiny models, whose weights are drawn wide
    assert not found.equal(wanted)


@pytest.mark.parametrize("form", ["int8", "fp8"])
def test_bits_of_eight_bit_weights_depend_on_no_neighbour(tiny_family: Path, form: str) -> None:
    with fleet_with(tiny_family, form).use("sd1") as model:
        signature = model.signature(64, 64)
        rows = model.denoiser.sample_rows(signature, 8, seed=2)
        first = model.denoiser.predict(signature, rows[:1], 2)[0]
        for bucket in (2, 4, 8):
            together = model.denoiser.predict(signature, rows[:bucket][::-1], bucket)
            assert together[-1].equal(first)


def test_an_eight_bit_weight_is_off_by_half_a_step_of_its_channel_at_most() -> None:
    import torch

    from generation.engine.denoisers.quantising import quantise

    block = torch.nn.ModuleDict({"block": torch.nn.Linear(64, 8)})
    before = block["block"].weight.detach().clone()
    before[3] = 0
    block["block"].weight.data.copy_(before)
    quantise(block, "int8")
    step = before.abs().amax(1, keepdim=True) / 127
    assert bool(((block["block"].weight - before).abs() <= step * 0.501).all())
    assert bool((block["block"].weight[3] == 0).all())


def test_an_unknown_format_is_refused_with_those_there_are() -> None:
    from generation.engine.device import choose_device

    with pytest.raises(EngineUnusable, match="'int4'; use none, int8, fp8"):
        choose_device("cpu", "auto", 1, quantize="int4")


def test_without_a_compiler_the_compile_setting_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from generation.engine.device import choose_device

    monkeypatch.setenv("PATH", "")
    with pytest.raises(EngineUnusable, match="install g\\+\\+, or set compile to false"):
        choose_device("cpu", "auto", 1, compiles=True)


def test_a_compiled_model_has_a_class_of_its_own() -> None:
    from dataclasses import replace

    from generation.engine.device import choose_device

    device = choose_device("cpu", "bfloat16", 1, quantize="fp8")
    assert device.numbers == "bfloat16+fp8"
    assert replace(device, compiles=True).numbers == "bfloat16+fp8+compiled"


def test_beside_compiled_rows_those_with_loras_have_a_call_of_their_own(
    tiny_family: Path,
) -> None:
    """Else a row without a LoRA would change its bits with its neighbours."""
    from collections.abc import Iterator, Sequence
    from contextlib import contextmanager
    from dataclasses import replace

    from generation.engine.flights import Row

    seen: list[int] = []

    class Bank:
        @contextmanager
        def applied(self, rows: Sequence[Row], bucket: int) -> Iterator[None]:
            seen.append(sum(bool(row.loras) for row in rows))
            yield

    with new_fleet(tiny_family).use("sd1") as model:
        signature = model.signature(64, 64)
        rows = model.denoiser.sample_rows(signature, 4, seed=3)
        plain = model.denoiser.predict(signature, rows, 4)
        module, calls = model.denoiser.module, []

        def compiled(*given: object, **named: object) -> object:
            calls.append(len(given[0]))  # type: ignore[arg-type]
            return module(*given, **named)

        model.denoiser.run = compiled
        model.denoiser.loras = Bank()
        rows[1] = replace(rows[1], loras=(("a" * 64, 1.0),))
        rows[2] = replace(rows[2], loras=(("b" * 64, 0.5),))
        mixed = model.denoiser.predict(signature, rows, 4)
    assert calls == [4]
    assert seen == [4]  # filled up with copies of its own kind
    assert mixed.equal(plain)
