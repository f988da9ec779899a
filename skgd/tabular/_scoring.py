"""Score existing predictions by scikit-learn's scorers."""

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin

from skgd.neural_network._scoring import scored

__all__ = ["scorer_of"]


class _Predictions(BaseEstimator):
    """Returns given predictions for any rows."""

    def __init__(self, values=None):
        self.values = values

    def fit(self, X, y):
        """Do nothing."""
        return self

    def predict(self, X):
        """Return the predictions."""
        return self.values


class _PredictedClasses(ClassifierMixin, _Predictions):
    def __init__(self, values=None, probabilities=None, classes=None):
        super().__init__(values)
        self.probabilities = probabilities
        self.classes_ = classes

    def predict_proba(self, X):
        """Return the probabilities."""
        return self.probabilities


class _PredictedNumbers(RegressorMixin, _Predictions):
    pass


def scorer_of(scoring, model):
    """Return a function that scores the outputs of a network.

    Parameters
    ----------
    scoring : str or callable or None
        The parameter of the estimators; None and 'loss' stand for the negative loss.

    model : BaseTabularMLP
        Knows the classes, and how to read outputs and targets.

    Returns
    -------
    callable or None
        A function of outputs, encoded targets and weights.
    """
    if scoring is None or scoring == "loss":
        return None

    def score(outputs, y, weight):
        values = model._published(outputs)
        truth = model._targets(y)
        if hasattr(model, "classes_"):
            is_multilabel = truth.ndim == 2
            # The classes of each label.
            classes = [[0, 1]] * truth.shape[1] if is_multilabel else model.classes_
            predicted = _PredictedClasses(model._labels(values), values, classes)
        else:
            predicted = _PredictedNumbers(values)
        rows = np.zeros((len(y), 1))
        remedy = "fit without sample_weight and class_weight"
        return scored(scoring, predicted, rows, truth, weight, remedy)

    return score
