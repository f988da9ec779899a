"""scikit-learn's StandardScaler, with nothing changed but the import."""

import inspect

import numpy as np
import pytest
from scipy import sparse
from sklearn import preprocessing
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

import skgd
from tests.drop_in.tasks import data


def test_interface():
    ours, theirs = skgd.StandardScaler, preprocessing.StandardScaler
    mine, known = (inspect.signature(cls).parameters for cls in (ours, theirs))
    # In order, too.
    assert list(mine.values()) == list(known.values())
    assert ours().get_params() == theirs().get_params()
    assert repr(ours(with_mean=False)) == repr(theirs(with_mean=False))
    public = {name for name in dir(theirs) if not name.startswith("_")}
    # Callbacks came with scikit-learn 1.9.
    assert public - {"set_callbacks"} <= set(dir(ours))


@pytest.mark.parametrize("with_std", [False, True])
@pytest.mark.parametrize("with_mean", [False, True])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_same_scaler(with_mean, with_std, dtype):
    X, _, _ = data("regression", dtype)
    params = {"with_mean": with_mean, "with_std": with_std}
    ours = skgd.StandardScaler(**params).fit(X)
    theirs = preprocessing.StandardScaler(**params).fit(X)
    fitted = {name for name in vars(theirs) if name.endswith("_")}
    assert {name for name in vars(ours) if name.endswith("_")} == fitted
    for name in fitted - {"mean_", "var_", "scale_"}:
        assert getattr(ours, name) == getattr(theirs, name)
    for name in ("mean_", "var_", "scale_"):
        if getattr(theirs, name) is None:
            assert getattr(ours, name) is None
        else:
            np.testing.assert_allclose(getattr(ours, name), getattr(theirs, name), 1e-6)
    np.testing.assert_allclose(ours.transform(X), theirs.transform(X), 1e-5, 1e-6)
    same = skgd.ZScoreScaler(**params).fit_transform(X)
    np.testing.assert_array_equal(ours.transform(X), same)
    if not with_mean:
        rows = sparse.csr_array(X)
        np.testing.assert_allclose(ours.fit_transform(rows).toarray(), same, 1e-6)


def test_names_of_steps():
    X, y, _ = data("binary")
    model = make_pipeline(skgd.StandardScaler(), skgd.MLPClassifier((3,), max_iter=2))
    assert list(model.named_steps) == ["standardscaler", "mlpclassifier"]
    grid = {"standardscaler__with_mean": [True, False], "mlpclassifier__solver": ["lbfgs"]}
    search = GridSearchCV(model, grid, cv=2)
    with pytest.warns(UserWarning, match="lbfgs failed to converge"):
        search.fit(X, y)
    assert set(search.best_params_) == set(grid)


def test_merge_takes_the_same_class():
    X, _, _ = data("regression")
    whole = skgd.StandardScaler().fit(X[:50]).merge(skgd.StandardScaler().fit(X[50:]))
    np.testing.assert_allclose(whole.mean_, skgd.StandardScaler().fit(X).mean_, atol=1e-15)
    with pytest.raises(TypeError, match="other must be a StandardScaler, got ZScoreScaler"):
        whole.merge(skgd.ZScoreScaler().fit(X))
