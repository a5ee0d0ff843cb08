"""One column of a CSV: what is missing, and what is wrong."""

import numpy as np
import pytest

from score_sde.data.columns import read_column
from score_sde.errors import InputError


def write(tmp_path, text):
    path = tmp_path / "table.csv"
    path.write_text(text)
    return path


def test_a_column_with_missing_cells(tmp_path):
    path = write(tmp_path, "month;sales;place\n2001-01;1.5;a\n2001-02;;b\n2001-03;NA;c\n2001-04;-2e1;d\n")
    column = read_column(path, "sales")
    np.testing.assert_array_equal(column.values, [1.5, np.nan, np.nan, -20])
    assert column.labels == ("2001-01", "2001-02", "2001-03", "2001-04")
    assert read_column(path).name == "sales"  # the only one of numbers
    bare = read_column(write(tmp_path, "1\n2\n3\n"))
    assert (bare.name, bare.labels) == ("1", ("1", "2", "3"))


@pytest.mark.parametrize(
    ("text", "name", "told"),
    [
        ("a,b\n1,2\n3,x4\n", "b", "table.csv, row 2, column 'b' = 'x4': expected a finite number"),
        ("a,b\n1,inf\n", "b", "row 1, column 'b' = 'inf'"),
        ("a,b\n1,2\n", "c", "also 'c'"),
        ("sales,b\n1,2\n", "sale", "did you mean sales?"),
        ("a,b\n1,2\n", None, "columns of numbers in"),
        ("a,b\n1,\n2,NaN\n", "b", "column 'b' = 'no number'"),
        ("a,b\n1,2\n3\n", "b", "row 2: number of cells = 1"),
        ("", "b", "is the file empty?"),
    ],
)
def test_mistakes_name_file_row_and_column(tmp_path, text, name, told):
    with pytest.raises(InputError) as caught:
        read_column(write(tmp_path, text), name)
    assert told in str(caught.value)
    assert "table.csv" in str(caught.value)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(InputError, match="check the path"):
        read_column(tmp_path / "none.csv")
