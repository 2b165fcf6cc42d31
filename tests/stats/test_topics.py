"""Topics of texts: planted ones are found with their number; coherence is what its formula says."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_array

from khaosat.stats.topics import find_topics, npmi


def planted(rng: np.random.Generator, n_topics: int = 4) -> tuple[csr_array, np.ndarray]:
    """Sixty texts a topic with four of its eight words, and a word that all share."""
    truth = np.repeat(np.arange(n_topics), 60)
    x = np.zeros((len(truth), 8 * n_topics + 1))
    for row, topic in enumerate(truth):
        x[row, 8 * topic + rng.choice(8, 4, replace=False)] = 1.0
        x[row, -1] = rng.random() < 0.3
    return csr_array(x), truth


def test_planted_topics_are_found_with_their_number():
    x, truth = planted(np.random.default_rng(3))
    topics = find_topics(x, most=7, seed=1)
    assert topics.n == 4
    table = np.zeros((4, 4))
    np.add.at(table, (truth, topics.of_text), 1)
    assert (table.max(axis=1) == 60).all()


def test_a_text_without_words_has_no_topic_and_sizes_fall():
    x, _ = planted(np.random.default_rng(4))
    empty = csr_array(np.vstack([x.toarray(), np.zeros(x.shape[1])]))
    topics = find_topics(empty, most=5, seed=1)
    assert topics.of_text[-1] == -1
    sizes = np.bincount(topics.of_text[:-1])
    assert (np.diff(sizes) <= 0).all()


def test_coherence_by_hand():
    """p(a) = p(b) = 1/2, together in 1/4: independent, 0; never together: -1."""
    present = csr_array(np.array([[1, 1, 0], [1, 0, 1], [0, 1, 1], [0, 0, 0.0]]))
    assert npmi(present, np.array([0, 1])) == pytest.approx(0.0)
    never = csr_array(np.array([[1.0, 0], [0, 1]]))
    assert npmi(never, np.array([0, 1])) == -1.0


def test_too_little_to_factorise_is_refused():
    with pytest.raises(ValueError, match="at least two"):
        find_topics(csr_array(np.ones((5, 1))), most=4, seed=0)
