"""What every training shares, on one that only counts."""

from collections.abc import Mapping
from pathlib import Path

import pytest
import torch
from torch import nn

from avatar_engine.training.course import Course, Stateful, at_rate, average


class _Counting(Course[int]):
    def __init__(self, steps: int) -> None:
        super().__init__(steps)
        self.net = nn.Linear(1, 1)

    def parts(self) -> Mapping[str, Stateful]:
        return {"net": self.net}

    def one_step(self) -> int:
        with torch.no_grad():
            self.net.bias += 1
        self.step += 1
        return self.step


def test_a_course_goes_on_where_it_was_put_aside(tmp_path: Path):
    first, told = _Counting(7), list[int]()
    first.run(until=0.0, file=tmp_path / "kept.pt")
    assert first.step == 0
    for _ in range(3):
        first.one_step()
    first.save(tmp_path / "kept.pt")
    second = _Counting(7)
    second.resume(tmp_path / "kept.pt")
    second.run(file=tmp_path / "kept.pt", told=lambda step, _figures: told.append(step))
    assert told == [3, 4, 5, 6]
    assert float((second.net.bias - first.net.bias).detach()) == pytest.approx(4)
    assert [file.name for file in tmp_path.iterdir()] == ["kept.pt"]


def test_the_rate_rises_in_a_line_and_falls_as_a_cosine():
    course, rates = _Counting(100), []
    for _ in range(100):
        rates.append(course.rate(2.0, least=0.0))
        course.step += 1
    assert rates.index(max(rates)) == 4
    assert rates[1] == pytest.approx(2 * rates[0], rel=0.01)
    assert rates[50] == pytest.approx(1.0)
    assert rates[-1] < 0.001
    optimiser = torch.optim.SGD(course.net.parameters(), 1.0)
    at_rate(optimiser, rates[50])
    assert optimiser.param_groups[0]["lr"] == pytest.approx(1.0)


def test_a_running_mean_trusts_many_steps_more_than_few_and_copies_what_is_no_mean():
    now, mean = nn.BatchNorm1d(1), nn.BatchNorm1d(1)
    with torch.no_grad():
        now.weight.fill_(3.0)
        now.bias.fill_(5.0)
        now.num_batches_tracked.fill_(9)
    average(mean, now, 10_000, lambda name: name == "bias")
    assert float(mean.weight.detach()) == pytest.approx(1 + 0.01 * 2)
    assert float(mean.bias.detach()) == 5.0
    assert int(mean.num_batches_tracked) == 9
    average(mean, now, 1)
    assert float(mean.weight.detach()) > 2.5
