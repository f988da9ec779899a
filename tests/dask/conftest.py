import pytest


@pytest.fixture(scope="module")
def client():
    """Two workers, in threads of this process."""
    from distributed import Client

    options = {"processes": False, "n_workers": 2, "threads_per_worker": 1}
    with Client(**options, dashboard_address=":0") as client:
        yield client
