import pathlib

import pytest

import jfrkit

FIXTURES = pathlib.Path(__file__).resolve().parents[2] / "fixtures"


@pytest.fixture
def fixtures():
    return FIXTURES


@pytest.fixture
def recording():
    return jfrkit.open(FIXTURES / "jdk17-full.jfr")
