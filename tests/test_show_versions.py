import numba
import numpy as np
import sklearn

import skgd
from skgd.compile.cache import cache_directory


def test_what_a_bug_report_needs(capsys):
    assert skgd.show_versions() is None
    lines = capsys.readouterr().out.splitlines()
    shown = {name.strip(): value for name, _, value in (s.partition(": ") for s in lines)}
    modules = {"skgd": skgd, "numba": numba, "numpy": np, "scikit-learn": sklearn}
    for package, module in modules.items():
        assert shown[package] == module.__version__
    assert shown["kept in"] == str(cache_directory())
    assert len(lines) < 40


def test_settings_and_what_is_not_installed(capsys, monkeypatch):
    monkeypatch.setenv("SKGD_DISK_CACHE", "0")
    monkeypatch.setattr("skgd._show_versions.PACKAGES", ("numpy", "no-such-package"))
    skgd.show_versions()
    shown = capsys.readouterr().out
    assert "SKGD_DISK_CACHE: 0" in shown
    assert "no-such-package: None" in shown
