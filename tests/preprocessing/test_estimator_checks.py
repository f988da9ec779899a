"""scikit-learn's checks of estimators, including those that check_estimator leaves out."""

import os
import subprocess
import sys

import pytest
from sklearn.base import clone
from sklearn.utils import estimator_checks
from sklearn.utils.estimator_checks import (
    _get_check_estimator_ids,
    estimator_checks_generator,
)

from skgd import MeanScaler, MinMaxScaler, RobustClipScaler, StandardScaler, ZScoreScaler

SCALERS = [
    MinMaxScaler(),
    MinMaxScaler(clip=True),
    MeanScaler(),
    RobustClipScaler(),
    StandardScaler(),
    StandardScaler(with_mean=False),
    ZScoreScaler(),
    ZScoreScaler(with_mean=False),
]

NOT_IN_CHECK_ESTIMATOR = [
    "check_dataframe_column_names_consistency",
    "check_get_feature_names_out_error",
    "check_global_output_transform_pandas",
    "check_global_set_output_transform_polars",
    "check_inplace_ensure_writeable",
    "check_param_validation",
    "check_set_output_transform",
    "check_set_output_transform_pandas",
    "check_set_output_transform_polars",
    "check_transformer_get_feature_names_out",
    "check_transformer_get_feature_names_out_pandas",
]


# What parametrize_with_checks does, which hands pytest a generator in scikit-learn 1.6.
@pytest.mark.parametrize(
    ("estimator", "check"),
    [pair for scaler in SCALERS for pair in estimator_checks_generator(scaler)],
    ids=_get_check_estimator_ids,
)
def test_scikit_learn_checks(estimator, check):
    check(estimator)


# Those that look at the output mix data with names and without.
@pytest.mark.filterwarnings("ignore:X (has|does not have valid) feature names")
@pytest.mark.parametrize("scaler", SCALERS, ids=repr)
@pytest.mark.parametrize("name", NOT_IN_CHECK_ESTIMATOR)
def test_further_scikit_learn_checks(scaler, name):
    getattr(estimator_checks, name)(type(scaler).__name__, clone(scaler))


def test_array_api_setting():
    # SciPy reads it when it is imported.
    code = (
        "from sklearn.utils.estimator_checks import check_estimator\n"
        "from skgd import MeanScaler, MinMaxScaler, RobustClipScaler, ZScoreScaler\n"
        "for scaler in MeanScaler(), MinMaxScaler(), RobustClipScaler(), ZScoreScaler():\n"
        "    check_estimator(scaler, on_skip=None)\n"
    )
    subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "SCIPY_ARRAY_API": "1"},
        check=True,
    )
