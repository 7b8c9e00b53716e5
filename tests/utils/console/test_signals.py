"""A signal is what ends a script, whatever else became of the exception on its way."""

import os
import signal

import pytest

from utils.console.script import run_script
from utils.console.signals import Stopped, behind, saying


class Field:
    """Gets a signal while the class that holds it is made: Python 3.11 raises a RuntimeError then."""

    def __set_name__(self, owner, name):
        os.kill(os.getpid(), signal.SIGTERM)
        for _ in range(1000):
            pass


def wrapped_by_python():
    type("Made", (), {"field": Field()})


def wrapped_by_a_callback():
    try:
        os.kill(os.getpid(), signal.SIGTERM)
    except Stopped as error:
        raise ValueError("the callback failed") from error


def replaced_while_cleaning_up():
    try:
        os.kill(os.getpid(), signal.SIGTERM)
    finally:
        raise OSError("the file is closed")


@pytest.mark.parametrize("end", [wrapped_by_python, wrapped_by_a_callback, replaced_while_cleaning_up])
def test_a_wrapped_signal_ends_a_script_as_any(capsys, end):
    def script(_):
        with saying(lambda: "3 of 4 are written"):
            end()

    assert run_script(script, []) == 128 + signal.SIGTERM
    assert capsys.readouterr().err.splitlines() == ["stopped by SIGTERM; 3 of 4 are written"]


def test_an_error_that_is_no_signal_stays_one(capsys):
    def script(_):
        with saying(lambda: "3 of 4 are written"):
            raise ValueError("odd") from KeyError("other")

    assert run_script(script, []) == 1
    said = capsys.readouterr().err
    assert "error[BUG]: ValueError: odd" in said and "3 of 4" not in said


def test_causes_in_a_circle():
    one, two = ValueError(), KeyError()
    one.__cause__, two.__cause__ = two, one
    assert behind(one) is None
    two.__cause__ = Stopped(signal.SIGINT)
    assert behind(one) is two.__cause__
