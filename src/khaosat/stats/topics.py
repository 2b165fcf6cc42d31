r"""Topics of short texts: non-negative factors of a word matrix, their number by the coherence of their words."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from scipy.sparse import csr_array

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]

TOP = 5
"""Words that stand for a topic."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Topics:
    """Topics of texts.

    Parameters
    ----------
    of_text
        The topic with most weight in each text, -1 for texts without any of the words.
    words
        Words of each topic by weight, the heaviest first (topics × words).
    weights
        Weight of the topics in each text (texts × topics).
    coherence
        Mean NPMI of the top words.
    """

    of_text: Codes
    words: Codes
    weights: Floats
    coherence: float

    @property
    def n(self) -> int:
        """Number of topics."""
        return len(self.words)


def find_topics(x: csr_array, *, most: int, seed: int) -> Topics:
    """Factorise a text × word matrix into the number of topics, from 2 to ``most``, with the most coherent words.

    Parameters
    ----------
    x
        TF-IDF weights.
    most
        Most topics to try; of equally coherent numbers the smallest is taken.
    seed
        Of the factorisation.

    Returns
    -------
    Topics
        In order of size.

    References
    ----------
    Lee and Seung (1999), Nature 401, 788-791. Bouma (2009), Proceedings of GSCL, 31-40 (NPMI). Röder, Both and
    Hinneburg (2015), WSDM, 399-408.

    Examples
    --------
    >>> from scipy.sparse import csr_array
    >>> x = csr_array(np.kron(np.eye(2), np.ones((6, 3))))
    >>> find_topics(x, most=3, seed=0).of_text.tolist()
    [1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0]
    """
    tried = [_factorise(x, n, seed) for n in range(2, min(most, *x.shape) + 1)]
    if not tried:
        raise ValueError("topics need at least two texts, two words and two topics to try")
    return max(tried, key=lambda topics: round(topics.coherence, 9))


def npmi(present: csr_array, words: Codes) -> float:
    r"""Mean normalised mutual information of pairs of words, :math:`\log\frac{p_{ab}}{p_a p_b}/(-\log p_{ab})`.

    From -1 (never together) to 1 (only together).

    >>> from scipy.sparse import csr_array
    >>> round(npmi(csr_array(np.array([[1, 1, 0], [1, 1, 0], [0, 0, 1.0]])), np.array([0, 1])), 6)
    1.0
    """
    chosen = present[:, words]
    together = np.asarray((chosen.T @ chosen).todense(), dtype=float) / present.shape[0]
    alone = np.diagonal(together)
    a, b = np.triu_indices(len(words), 1)
    joint = together[a, b]
    found = (joint > 0) & (joint < 1)
    score = np.where(joint >= 1, 1.0, -1.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        score[found] = (np.log(joint / (alone[a] * alone[b])) / -np.log(joint))[found]
    return float(score.mean()) if len(score) else 0.0


def _factorise(x: csr_array, n: int, seed: int) -> Topics:
    from sklearn.decomposition import NMF
    from sklearn.exceptions import ConvergenceWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # a few hundred rounds settle the order of the words
        model = NMF(n_components=n, init="nndsvda", random_state=seed, max_iter=400)
        weights = model.fit_transform(x)
    of_text = np.where(weights.max(axis=1) > 0, weights.argmax(axis=1), -1)
    order = np.argsort(-np.bincount(of_text[of_text >= 0], minlength=n), kind="stable")
    place = np.append(np.argsort(order), -1)
    words = np.argsort(-model.components_[order], axis=1, kind="stable")
    present = (x > 0).astype(float)
    coherence = float(np.mean([npmi(present, row[:TOP]) for row in words]))
    return Topics(of_text=place[of_text].astype(np.intp), words=words.astype(np.intp), weights=weights[:, order],
                  coherence=coherence)  # fmt: skip
