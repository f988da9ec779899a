"""Ctrl-C while a kernel is compiled."""

import signal
import threading

import numba
import pytest
from numba.extending import overload

from skgd.compile.interrupts import uninterrupted
from skgd.compile.jit import jit


@pytest.fixture
def handler():
    """Set handlers of Ctrl-C; the one before comes back."""
    before = signal.getsignal(signal.SIGINT)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    yield lambda new: signal.signal(signal.SIGINT, new)
    signal.signal(signal.SIGINT, before)


def press():
    signal.raise_signal(signal.SIGINT)


def test_it_waits_for_the_end(handler):
    done = []
    with pytest.raises(KeyboardInterrupt), uninterrupted():
        press()
        done.append(1)
    assert done
    with pytest.raises(KeyboardInterrupt):
        press()


def test_it_waits_for_the_end_of_the_innermost(handler):
    done = []
    with pytest.raises(KeyboardInterrupt), uninterrupted():
        with uninterrupted():
            press()
            done.append(1)
        done.append(2)
    assert done == [1]
    with pytest.raises(KeyboardInterrupt):
        press()


def test_an_error_does_not_lose_it(handler):
    with pytest.raises(KeyboardInterrupt) as caught, uninterrupted():
        press()
        raise ValueError
    assert isinstance(caught.value.__context__, ValueError)
    with pytest.raises(ValueError, match="own"), uninterrupted():
        raise ValueError("own")
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_handler_of_ones_own_is_called_once(handler):
    calls = []
    own = lambda *args: calls.append(args)  # noqa: E731
    handler(own)
    with uninterrupted():
        with uninterrupted():
            press()
            press()
            assert not calls
        assert calls == [(signal.SIGINT, None)]
    assert calls == [(signal.SIGINT, None)]
    assert signal.getsignal(signal.SIGINT) is own


def test_what_is_ignored_stays_ignored(handler):
    handler(signal.SIG_IGN)
    with uninterrupted():
        press()
    assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN


def test_other_threads_leave_the_handler_alone(handler):
    found = []

    def work():
        with uninterrupted():
            found.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found == [signal.default_int_handler]


def test_a_kernel_is_compiled_to_the_end(handler, monkeypatch):
    """The one that calls it is compiled at the next call."""
    monkeypatch.setattr(numba.config, "DISABLE_JIT", 0)

    def factor():
        """Stand for two."""

    @overload(factor)
    def _two():
        # In the middle of the compilation of `scale`.
        press()
        return lambda: 2.0

    def scale(x):
        return factor() * x

    scale = jit(scale)

    def twice(x):
        return scale(scale(x))

    twice = jit(twice)
    with pytest.raises(KeyboardInterrupt):
        twice(1.0)
    assert len(scale._callee.overloads) == 1
    assert not twice.dispatcher.overloads
    assert twice(1.0) == 4.0
