"""Predictions as they are handed in: what is sent, what is refused, what is told."""

from pathlib import Path
from typing import Any

import pytest

from atlas_client import config
from atlas_client.cli import main
from client_tests.fake_node import TOKEN, FakeNode, Request

LABEL = {
    "cases": 2,
    "dice": {"mean": 0.8125, "n": 2},
    "surface_dice": {"mean": 0.9, "n": 2},
    "hd95_mm": {"median": None, "n": 0},
    "f1": 1.0,
}


class Scoring:
    """The part of a node that takes predictions."""

    def __init__(self, refuses: str = "") -> None:
        self.refuses = refuses
        self.sent: dict[str, bytes] = {}
        self.calls: list[str] = []
        self.asked = 0

    def before(self, request: Request) -> bool:
        place = request.place.partition("/predictions/")
        if not place[1]:
            return False
        self.calls.append(f"{request.command} {place[2]}")
        if request.command == "PUT":
            name = place[2].rpartition("/")[2]
            self.sent[name] = request.body
            if name == self.refuses:
                request.tell(400, {"reason": f"{name}: it lies 0.50 mm beside its image."})
                return True
        if request.command == "DELETE":
            request.tell(204, {})
            return True
        self.asked += request.command == "GET"
        request.tell(200, self._prediction())
        return True

    def _prediction(self) -> dict[str, Any]:
        state = "scored" if self.asked > 1 else "scoring"
        scores = {"labels": {"tumour": LABEL}} if state == "scored" else None
        return {"id": "p1", "state": state, "cases_done": self.asked, "cases_total": 2, "scores": scores}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("0001_CT_a.nii.gz", "0002_CT_b.nii.gz", "notes.txt"):
        (tmp_path / name).write_bytes(name.encode())
    return tmp_path


def predicted(
    node: FakeNode, scoring: Scoring, folder: Path, monkeypatch: pytest.MonkeyPatch, *more: str
) -> int:
    config.keep(config.Login(node.url, TOKEN))
    node.before = scoring.before
    monkeypatch.setattr("atlas_client.predicting.POLL_S", 0.0)
    return main(["predict", "respond@2", str(folder), "--model", "nnU-Net 2", *more])


def test_a_folder_is_handed_in_and_its_scores_are_told(node, folder, monkeypatch, capfd) -> None:
    scoring = Scoring()
    assert predicted(node, scoring, folder, monkeypatch) == 0
    assert scoring.sent == {name: name.encode() for name in ("0001_CT_a.nii.gz", "0002_CT_b.nii.gz")}
    assert scoring.calls[-3] == "POST p1/hand-in/"
    printed, said = capfd.readouterr()
    assert "tumour" in printed
    assert "0.812" in printed
    assert "2 of 2: 0002_CT_b.nii.gz" in said


def test_what_is_refused_takes_the_whole_back_and_says_why(node, folder, monkeypatch, capfd) -> None:
    scoring = Scoring(refuses="0002_CT_b.nii.gz")
    assert predicted(node, scoring, folder, monkeypatch) == 2
    assert scoring.calls[-1] == "DELETE p1/"
    assert "POST p1/hand-in/" not in scoring.calls
    assert "0.50 mm beside its image" in capfd.readouterr().err


def test_a_folder_without_masks_is_not_asked_about(node, tmp_path, monkeypatch, capfd) -> None:
    scoring = Scoring()
    assert predicted(node, scoring, tmp_path, monkeypatch) == 2
    assert scoring.calls == []
    assert "no prediction" in capfd.readouterr().err


def test_who_doesn_t_wait_is_told_where_the_scores_will_be(node, folder, monkeypatch, capfd) -> None:
    assert predicted(node, Scoring(), folder, monkeypatch, "--no-wait") == 0
    assert "respond@" in capfd.readouterr().out
