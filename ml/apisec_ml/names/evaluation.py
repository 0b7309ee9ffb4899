"""How good the classifier of names is on what it never saw: whole stems, whole languages, whole conventions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from apisec_ml.names.templates import Example, examples
from apisec_ml.names.training import Floats, Settings, fit, matrix, thresholds
from apisec_ml.names.vocabulary import Vocabulary

HELD_LANGUAGES = ("pl", "tr", "nordic")
HELD_CONVENTIONS = ("kebab", "joined", "mixed")
CALIBRATION, TEST = 0, 1  # folds of stems


@dataclass(frozen=True)
class Figures:
    """``right``, ``wrong`` and ``missed`` count examples; a wrong alarm on an ordinary name is wrong, not missed."""

    name: str
    right: int
    wrong: int
    missed: int
    ordinary: int
    alarms: int

    @property
    def precision(self) -> float:
        return self.right / max(1, self.right + self.wrong)

    @property
    def recall(self) -> float:
        return self.right / max(1, self.right + self.missed)

    @property
    def f1(self) -> float:
        return 2 * self.right / max(1, 2 * self.right + self.wrong + self.missed)

    def to_document(self) -> dict[str, object]:
        figures = {"precision": self.precision, "recall": self.recall, "f1": self.f1}
        rounded = {key: round(value, 4) for key, value in figures.items()}
        return {"held_out": self.name, **rounded, "ordinary": self.ordinary, "alarms_on_ordinary": self.alarms}


def evaluate(vocabulary: Vocabulary, settings: Settings) -> list[Figures]:
    """Train without each held-out part in turn and judge on that part alone."""
    made = examples(vocabulary, settings.recipe)
    rest = [one for one in made if one.fold != TEST]
    parts: dict[str, Callable[[Example], bool]] = {
        "stems": lambda one: one.fold == TEST,
        f"languages {' '.join(HELD_LANGUAGES)}": lambda one: one.language in HELD_LANGUAGES,
        f"conventions {' '.join(HELD_CONVENTIONS)}": lambda one: one.convention in HELD_CONVENTIONS,
    }
    found = []
    for name, held in parts.items():
        pool = rest if name == "stems" else made
        learned = [one for one in pool if not held(one)]
        found.append(_judge(name, learned, [one for one in made if held(one)], vocabulary.classes, settings))
    return found


def _judge(
    name: str, learned: list[Example], unseen: list[Example], classes: tuple[str, ...], settings: Settings
) -> Figures:
    """Fit on one part of what may be learned, set thresholds on the stems of the other, judge on the unseen."""
    fitting = [one for one in learned if one.fold != CALIBRATION]
    setting = [one for one in learned if one.fold == CALIBRATION]
    fitted = fit(fitting, matrix(fitting), classes, settings)
    limits = thresholds(setting, fitted.scores(matrix(setting)), classes, settings.precision)
    return figures(name, unseen, fitted.scores(matrix(unseen)) - limits, classes)


def figures(name: str, made: Sequence[Example], margins: Floats, classes: tuple[str, ...]) -> Figures:
    """Count what margins (example, class) say of examples."""
    labels = np.array([one.data_class or "" for one in made])
    said = np.where(margins.max(axis=1) >= 0, np.array(classes)[margins.argmax(axis=1)], "")
    sensitive = labels != ""
    right = int(((said == labels) & sensitive).sum())
    alarms = int(((said != "") & ~sensitive).sum())
    wrong = int(((said != "") & (said != labels)).sum())
    return Figures(name, right, wrong, int(sensitive.sum()) - right, int((~sensitive).sum()), alarms)
