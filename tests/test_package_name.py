"""The package's name: made from the notebook's file name, or checked where the user gives it."""

from __future__ import annotations

import keyword
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nb2prod.names import MAX_LENGTH, NameRefused, check_name, package_name


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("churn.ipynb", "churn"),
        ("work/House Prices.ipynb", "house_prices"),
        ("churn-model.v2.ipynb", "churn_model_v2"),
        ("01_churn.ipynb", "nb_01_churn"),
        ("My notebook (1).IPYNB", "my_notebook_1"),
        ("Überblick.ipynb", "uberblick"),
        ("ﬁne.ipynb", "fine"),
        ("日本語.ipynb", "notebook"),
        ("---.ipynb", "notebook"),
        (".ipynb", "notebook"),
        ("_draft_.ipynb", "draft"),
        ("class.ipynb", "class_project"),
        ("Import.ipynb", "import_project"),
        ("json.ipynb", "json_project"),
        ("distutils.ipynb", "distutils_project"),
        ("pandas.ipynb", "pandas_project"),
        ("scikit-learn.ipynb", "scikit_learn_project"),
        ("nb2prod.ipynb", "nb2prod_project"),
        ("tests.ipynb", "tests_project"),
        ("match.ipynb", "match"),
        ("x" * 200 + ".ipynb", "x" * MAX_LENGTH),
        ("{{ project }}.ipynb", "project"),
        ("$(reboot);'\".ipynb", "reboot"),
    ],
)
def test_from_the_file(file: str, name: str) -> None:
    assert package_name(Path(file)) == name


def test_a_library_of_the_notebook_is_not_hidden() -> None:
    assert package_name("prophet.ipynb") == "prophet"
    assert package_name("prophet.ipynb", {"prophet", "pandas"}) == "prophet_project"
    with pytest.raises(NameRefused, match="hide"):
        check_name("prophet", {"prophet"})


@given(st.text(max_size=30))
def test_every_file_gives_a_name_that_would_be_accepted(stem: str) -> None:
    name = package_name(stem.replace("/", "-") + ".ipynb")
    assert check_name(name) == name
    assert name.isidentifier() and not keyword.iskeyword(name) and name not in sys.stdlib_module_names


@pytest.mark.parametrize("name", ["churn", "Churn", "churn_2", "a", "match"])
def test_a_given_name_is_kept(name: str) -> None:
    assert check_name(name) == name


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("", "letters"),
        ("2fast", "letters"),
        ("my-package", "letters"),
        ("../../x", "letters"),
        ("a.b", "letters"),
        ("_x", "letters"),
        ("x_", "letters"),
        ("naïve", "letters"),
        ("x\n", "letters"),
        ("class", "keyword"),
        ("True", "keyword"),
        ("json", "hide"),
        ("pandas", "hide"),
        ("Pandas", "hide"),
        ("y" * 200, "too long"),
    ],
)
def test_a_given_name_is_refused_and_never_altered(name: str, why: str) -> None:
    with pytest.raises(NameRefused, match=why):
        check_name(name)
