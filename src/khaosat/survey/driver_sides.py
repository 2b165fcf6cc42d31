"""A fitted model of satisfaction seen from the sides beside its effects: importance, checks, collinearity."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from khaosat.domain.survey import Survey
from khaosat.survey.driver_check import boosted_check, collinearity
from khaosat.survey.driver_effects import Dissatisfaction
from khaosat.survey.driver_scores import Scores
from khaosat.survey.importance_result import ImportanceResult
from khaosat.survey.importance_rows import Division, divided
from khaosat.survey.importance_shares import Game, ImportanceModel
from khaosat.survey.model_frame import INTERCEPT, ModelFrame, model_frame
from khaosat.survey.model_result import model_df
from khaosat.survey.ordinal_model import outcome_levels
from khaosat.survey.proportional_odds import proportional_odds_test
from khaosat.survey.shapley_importance import formula_of


@dataclass(frozen=True, eq=False, kw_only=True)
class Side:
    """The same respondents and matrix, seen from the sides beside effects."""

    survey: Survey
    scores: Scores
    fitted: Dissatisfaction
    level: float
    model: ImportanceModel
    rng: np.random.Generator | None

    @property
    def source(self) -> np.random.Generator:
        """Source of randomness."""
        return self.rng if self.rng is not None else np.random.default_rng(0)

    def game(self) -> Game:
        """Predictors as players, what is held constant always in."""
        frame = self.fitted.frame
        matrix = frame.matrix()
        terms = [term for name, term in zip(matrix.names, matrix.terms, strict=True) if name != INTERCEPT]
        players = np.array([[term == name for term in terms] for name in self.scores.predictors])
        places = frame.outcome().numbers[frame.used]
        answers = np.array([float(answer) for answer in frame.outcome().levels])
        y = answers[places.astype(int)] if self.model == "linear" else np.unique(places, return_inverse=True)[1]
        return Game(
            y=y.reshape(-1).astype(float), x=self.fitted.x, used=frame.used, players=players,
            always=np.asarray(~players.any(axis=0), dtype=bool), blocks=[[j] for j in range(len(players))],
        )  # fmt: skip

    def importance(self) -> ImportanceResult:
        """Parts of R² beyond what is held constant."""
        names = self.scores.predictors
        return divided(Division(
            survey=self.scores.survey, frame=self.fitted.frame, game=self.game(), names=names,
            members={name: [name] for name in names}, model=self.model, level=self.level, rng=self.source,
            outcome=self.scores.outcome, questionnaire=self.survey.questionnaire, said=self.scores.notes,
        ))  # fmt: skip

    def cross_check(self) -> tuple[pd.DataFrame, list[str]]:
        """What boosted trees find."""
        return boosted_check(
            self.survey, self.scores, self.game(), names=self.fitted.names, level=self.level, rng=self.source
        )

    def collinearity(self) -> tuple[pd.DataFrame, list[str]]:
        """How much the predictors say the same."""
        weights = self.survey.arrays.weights[self.fitted.frame.used]
        return collinearity(self.scores, self.game(), names=self.fitted.names, weights=weights)

    def proportional_odds(self) -> tuple[pd.DataFrame, bool]:
        """Test of equal slopes at all thresholds, and whether what is held constant had to be left out for it.

        Rare levels of covariates often tell the answer at one threshold without fail, where all predictors do not.
        """
        scores, tested = self.scores, self._odds(self.fitted.frame)
        if len(tested) and tested["statistic"].isna().all() and scores.always:
            text = formula_of(scores.survey, scores.outcome, scores.predictors)
            return self._odds(model_frame(scores.survey, text, where=scores.where, outcome="levels")), True
        return tested, False

    def _odds(self, frame: ModelFrame) -> pd.DataFrame:
        places, _ = outcome_levels(frame)
        x = frame.slopes()
        df = model_df(self.scores.survey, frame.used, slopes=x.shape[1])
        return proportional_odds_test(self.scores.survey, frame, y=places, x=x, link="logit", df=df)
