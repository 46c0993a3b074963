"""What `seedbed dataset add` writes: files that compose, and by which the table is read again."""

import sys
from datetime import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seedbed.config.columns import resolve_columns
from seedbed.config.composition import compose_conf
from seedbed.config.params import check_params
from seedbed.config.schema import Params
from seedbed.data.ingesting import assemble_rows
from seedbed.data.number_formats import split_unit
from seedbed.data.sources import read_source
from seedbed.datasets.adding import Added, add_dataset
from seedbed.datasets.placing import choose_name
from seedbed.errors import UserError

sys.path.insert(0, str(Path(__file__).parents[1] / "data_sets"))
from tables import TABLES

ODD_NAMES = [
    *("yes", "null", "1", "1e3", "${x}", "a.b", "a,b", "a=b", 'say "x"', "it's", "price [EUR]"),
    *("Größe", "*", "a: b", "# no", "[x]", "{x}", " ", "prediction", "x" * 300, "back\\slash"),
]
AREA = [row * 7 % 27 / 2 for row in range(27)]
RENT = [row * 5 % 27 / 4 + row % 3 for row in range(27)]


def write(path: Path, **columns: object) -> str:
    pd.DataFrame(columns).to_csv(path, index=False)
    return str(path)


def params_of(root: Path, name: str) -> Params:
    values = compose_conf(root, [f"dataset={name}"]).values
    check_params(values, root)
    return Params.model_validate(values)


def rows_of(params: Params) -> pd.DataFrame:
    """Return what stage ingest makes of the table."""
    return assemble_rows(
        lambda name, types: read_source(params.source, params.dataset, name, types),
        params.dataset,
        params.columns,
    )


@pytest.mark.parametrize("name", TABLES)
def test_a_table_is_described_such_that_it_is_read_again(root: Path, name: str) -> None:
    table = TABLES[name]
    table.write(root.parent / table.file)
    added = add_dataset(root, str(root.parent / table.file), table.target, name=name)
    params = params_of(root, name)
    assert (params.problem.task, params.split.kind) == (table.task, table.split)
    rows = rows_of(params)
    found = added.description
    assert len(rows) == found.rows
    used = {column for column in found.guesses if found.role(column)}
    assert used == set(rows.columns)
    for column in rows:
        assert rows[column].isna().mean() == pytest.approx(found.guesses[column].missing), column


@pytest.mark.parametrize(
    ("name", "choice"),
    [
        *(("tumours", "model=logistic_regression"), ("sensors", "features=cyclic")),
        ("reviews", "features=sparse_text"),
    ],
)
def test_what_to_try_stands_in_a_word(root: Path, name: str, choice: str) -> None:
    table = TABLES[name]
    table.write(root.parent / table.file)
    warnings = add_dataset(root, str(root.parent / table.file), table.target).warnings
    assert any(choice in word for word in warnings)


def test_what_a_person_says_of_the_file_is_not_looked_for(root: Path) -> None:
    given = {"encoding": "cp1252", "formats": {"area": "1.234,5"}, "missing": ["so what"]}
    lines = [
        f"1.{row % 20 + 100},5;{'so what' if row % 3 else 'Ä€'};{row % 7}" for row in range(27)
    ]
    path = root.parent / "rents.csv"
    path.write_bytes("\n".join(["area;größe;rent", *lines]).encode("cp1252"))  # Ä€ is UTF-8 too
    with pytest.raises(UserError, match=r"line 2 is UTF-8, .*name it: set source.options.enc"):
        add_dataset(root, str(path), "rent")
    found = add_dataset(root, str(path), "rent", options=given).description.guesses
    assert (found["area"].kind, found["größe"].missing) == ("number", pytest.approx(2 / 3))
    options = params_of(root, "rents").source.options
    assert options == {**given, "separator": ";"}
    assert rows_of(params_of(root, "rents"))["area"].tolist()[:2] == [1100.5, 1101.5]


def test_what_tells_the_target_is_no_feature(root: Path) -> None:
    TABLES["churn"].write(root.parent / "churn.csv")
    add_dataset(root, str(root.parent / "churn.csv"), "churn")
    columns = params_of(root, "churn").columns
    assert columns.known_after_outcome == ["cancelled_on", "refund"]
    assert columns.key == ["customer_id"]
    text = (root / "conf/dataset/churn.yaml").read_text()
    assert "ROC AUC 1.000" in text
    assert "# left out: country (constant): always 'Atlantis'" in text


def test_what_only_grows_with_time_is_no_feature(root: Path) -> None:
    TABLES["weather_hours"].write(root.parent / "weather.csv.gz")
    add_dataset(root, str(root.parent / "weather.csv.gz"), "temp")
    params = params_of(root, "weather")
    assert params.features.time_parts == ["day_of_week", "hour"]
    assert "month" not in params.columns.number
    assert (
        "month (number): it grows with time_hour" in Path("conf/dataset/weather.yaml").read_text()
    )


def odd_table(folder: Path, name: str) -> Added:
    rows = range(60)
    values = {name: [row * 0.7 % 13 for row in rows], "other": [row % 11 + 0.5 for row in rows]}
    path = write(folder / "odd.csv", **values, answer=[row % 3 * 1.5 for row in rows])  # type: ignore[arg-type]
    return add_dataset(folder / "project", path, "answer")


@pytest.mark.parametrize("name", ODD_NAMES)
def test_any_name_of_a_column_survives_yaml_and_hydra(root: Path, name: str) -> None:
    odd_table(root.parent, name)
    params = params_of(root, "odd")
    assert params.columns.number == [name, "other"]
    assert list(rows_of(params)) == [name, "other", "answer"]


def test_a_name_that_is_a_pattern_takes_no_column_that_is_left_out(root: Path) -> None:
    values = {"*": AREA, "same": 1, "copy": [2 * rent for rent in RENT], "_x": AREA[::-1]}
    add_dataset(root, write(root.parent / "rents.csv", **values, rent=RENT), "rent")
    assert list(rows_of(params_of(root, "rents"))) == ["*", "copy", "rent"]


@pytest.mark.parametrize("name", ["${x}", "a\nb", "b\x07c", "d\u2028e", "yes", "[/bold]", "*"])
def test_any_name_of_the_target_survives_yaml_and_hydra(root: Path, name: str) -> None:
    path = write(root.parent / "odd.csv", x=AREA, **{name: ["Yes", "No", "No"] * 9})  # type: ignore[arg-type]
    if name == "*":
        with pytest.raises(UserError, match="this name is a pattern too, which takes x"):
            add_dataset(root, path, name)
        return
    add_dataset(root, path, name)
    assert list(rows_of(params_of(root, "odd"))) == ["x", name]


@pytest.mark.parametrize("elsewhere", [True, False])
def test_rows_of_a_class_of_too_few_are_left_out_with_a_word(root: Path, elsewhere: bool) -> None:
    answers = [*"ab" * 13, "rare"]
    other = ["rare" if elsewhere else "x", *"uv" * 13]
    path = write(root.parent / "rare.csv", area=AREA, other=other, answer=answers)
    (word, *_) = add_dataset(root, path, "answer").warnings
    found = rows_of(params_of(root, "rare"))["answer"]
    assert found.isna().sum() == (0 if elsewhere else 1)
    assert ("drop these rows" if elsewhere else "are left out: rare (1)") in word


@pytest.mark.parametrize("ending", [".csv", ".xlsx"])
def test_without_a_header_columns_are_called_by_their_place(root: Path, ending: str) -> None:
    path, cells = root.parent / f"rents{ending}", pd.DataFrame({"area": AREA, "rent": RENT})
    write = cells.to_csv if ending == ".csv" else cells.to_excel
    write(path, index=False, header=False)
    add_dataset(root, str(path), "column_2")
    assert rows_of(params_of(root, "rents"))["column_2"].tolist() == pytest.approx(RENT)


def test_of_several_sheets_the_one_with_the_target_is_read(root: Path) -> None:
    path = root.parent / "rents.xlsx"
    with pd.ExcelWriter(path) as book:
        pd.DataFrame({"note": ["of", "2024"]}).to_excel(book, sheet_name="cover", index=False)
        pd.DataFrame({"area": AREA, "rent": RENT}).to_excel(book, sheet_name="rents", index=False)
    added = add_dataset(root, str(path), "rent")
    assert "sheet 'rents' is read; there are cover too" in added.warnings
    assert rows_of(params_of(root, "rents"))["rent"].tolist() == RENT


def test_nested_values_times_of_day_and_durations_are_read(root: Path) -> None:
    table = pd.DataFrame(
        {
            "list": [[1, row % 5] for row in range(27)],
            "in": [{"a": area, "b": {"c": "x"}} for area in AREA],
            "at": [time(row % 7, 30) for row in range(27)],
            "lasts": pd.to_timedelta([row * 7 % 20 for row in range(27)], unit="min"),
            "bytes": [b"ab"[row % 2 :] for row in range(27)],
            "rent": RENT,
        }
    )
    table.to_parquet(root.parent / "rents.parquet")
    add_dataset(root, str(root.parent / "rents.parquet"), "rent")
    rows = rows_of(params_of(root, "rents"))
    assert rows.iloc[1].to_dict() == {
        **{"list": "[1, 1]", "in.a": 3.5, "at": "01:30:00"},
        **{"lasts": 420, "bytes": "b", "rent": RENT[1]},
    }


@pytest.mark.parametrize(
    ("path", "named", "name"),
    [
        *(("2024.csv", None, "data_2024"), ("null.csv", None, "data_null")),
        *(("months/*.csv", None, "months"), ("Größe (1).csv.gz", None, "gr_sse_1")),
        *(("x.csv", "2024", None), ("x.csv", "../x", None), ("x.csv", "null", None)),
        *(("x.csv", "my data", None), ("東京.csv", None, None), ("x.csv", "a-1", "a-1")),
    ],
)
def test_a_dataset_has_a_name_that_hydra_takes_for_one(
    path: str, named: str | None, name: str | None
) -> None:
    if name is None:
        with pytest.raises(UserError, match="--name"):
            choose_name(path, named)
    else:
        assert choose_name(path, named) == name


@pytest.mark.parametrize("name", ["_split", "!x"])
def test_a_name_that_cannot_be_listed_is_left_out_with_a_word(root: Path, name: str) -> None:
    odd_table(root.parent, name)
    assert params_of(root, "odd").columns.number == ["other"]
    assert "give it another with source.options.names" in Path("conf/dataset/odd.yaml").read_text()


def test_a_wide_table_is_as_short_as_its_lists(root: Path) -> None:
    random = np.random.default_rng(0)
    values = {f"x{place}": random.normal(size=80) for place in range(100)}
    path = write(root.parent / "wide.csv", **values, y=random.normal(size=80))
    add_dataset(root, path, "y")
    lines = (root / "conf/dataset/wide.yaml").read_text().splitlines()
    assert len(lines) < 50
    assert max(map(len, lines)) <= 120
    assert len(rows_of(params_of(root, "wide")).columns) == 101


def test_nothing_is_overwritten_without_force(root: Path) -> None:
    path = write(root.parent / "Rents 2024.csv", area=AREA, rent=RENT)
    added = add_dataset(root, path, "rent")
    assert added.files == [
        *("conf/dataset/rents_2024.yaml", "conf/expectations/rents_2024.yaml"),
        "data/source/rents_2024.csv",
    ]
    mine = Path("conf/dataset/rents_2024.yaml")
    mine.write_text("mine")
    with pytest.raises(UserError, match="rents_2024.yaml exists, and nothing was written"):
        add_dataset(root, path, "rent")
    assert mine.read_text() == "mine"
    add_dataset(root, path, "rent", force=True)
    assert mine.read_text() != "mine"
    mine.unlink()
    Path("conf/expectations/rents_2024.yaml").unlink()
    write(root.parent / "Rents 2024.csv", area=AREA[::-1], rent=RENT)
    with pytest.raises(UserError, match="data/source/rents_2024.csv exists, and is another file"):
        add_dataset(root, path, "rent")
    assert not mine.exists()


def test_a_table_without_a_feature_says_why_of_each_column(root: Path) -> None:
    path = write(root.parent / "rents.csv", copy=[2 * rent for rent in RENT], same=1, rent=RENT)
    with pytest.raises(UserError, match=r"beside the target rent: copy \(.*\), same \(always"):
        add_dataset(root, path, "rent")
    assert not Path("conf/dataset/rents.yaml").exists()


def test_a_file_in_the_folder_of_sources_stays_where_it_is(root: Path) -> None:
    Path("data/source").mkdir(parents=True)
    path = write(Path("data/source/rents.csv"), area=AREA, rent=RENT)
    added = add_dataset(root, path, "rent")
    assert added.files == ["conf/dataset/rents.yaml", "conf/expectations/rents.yaml"]
    assert params_of(root, "rents").source.path == path
    assert [file.name for file in Path("data/source").iterdir()] == ["rents.csv"]


def test_use_changes_one_line_of_the_choices(root: Path) -> None:
    before = Path("conf/config.yaml").read_text()
    path = write(root.parent / "rents.csv", area=AREA, rent=RENT)
    add_dataset(root, path, "rent", use=True)
    after = Path("conf/config.yaml").read_text()
    assert after == before.replace("- dataset: flights", "- dataset: rents")
    assert "name: rents" in Path("params.yaml").read_text()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"target": "rents"}, r"--target rents: there is no such column \(did you mean rent\?\)"),
        ({"target": "rent", "time": "day"}, "--time day: there is no such column"),
        ({"target": "rent", "positive": "yes"}, "only a target of two classes has a positive one"),
        ({"target": "rent", "group": "rent"}, "--group rent: this is --target already"),
        ({"target": "rent", "group": "same"}, "--group same: it has 1 different value"),
        ({"target": "_x"}, "--target _x: a name must not begin with _ or !"),
        ({"target": "y"}, "there is no such column. The file has area, rent, same, _x. Name one"),
        ({"target": "rent", "name": "../x"}, "--name ../x: a dataset is named by letters"),
        ({"target": "same"}, "the value is '1' in all 27 rows"),
    ],
)
def test_a_wrong_option_is_one_sentence_and_writes_nothing(
    root: Path, options: dict[str, str], message: str
) -> None:
    path = write(root.parent / "rents.csv", area=AREA, rent=RENT, same=1, _x=RENT)
    with pytest.raises(UserError, match=message):
        add_dataset(root, path, **options)  # type: ignore[arg-type]
    assert not Path("conf/dataset/rents.yaml").exists()
    assert not Path("data").exists()


def write_shop(folder: Path) -> dict[str, pd.DataFrame]:
    """Write visits of customers with orders: three files, each written in another way."""
    random = np.random.default_rng(0)
    days = pd.Series(pd.date_range("2023-01-01", periods=400))
    ids = [f"{number:05d}" for number in range(60)]
    customers = pd.DataFrame({"id": ids, "age": random.integers(18, 80, 60)})
    customers["since"] = random.choice(days[:100], 60)
    orders = pd.DataFrame({"order_id": range(900), "customer_id": random.choice(ids[:50], 900)})
    orders["ordered_at"] = np.sort(random.choice(days, 900))
    orders["amount"] = random.gamma(2, 20, 900).round(2)
    orders["status"] = random.choice(["sent", "lost"], 900)
    visits = pd.DataFrame({"visit_time": np.sort(random.choice(days[50:], 400))})
    visits["customer"] = random.choice([*ids, None], 400)
    visits["pages"] = random.integers(1, 30, 400)
    visits["bought"] = np.where(visits["pages"] + random.normal(0, 8, 400) > 15, "yes", "no")
    visits.to_csv(folder / "visits.csv", index=False)
    written = customers.assign(since=customers["since"].dt.strftime("%d.%m.%Y"))
    written.to_csv(folder / "customers.csv", sep=";", index=False)
    orders.to_parquet(folder / "orders.parquet")
    return {"visits": visits, "customers": customers, "orders": orders}


def add_shop(root: Path, tables: list[str], joins: list[str]) -> Added:
    folder = root.parent
    files = {"customers": "customers.csv", "orders": "orders.parquet", "own": "visits.csv"}
    given = [f"{name}={folder / files[name]}" if name in files else name for name in tables]
    return add_dataset(root, str(folder / "visits.csv"), "bought", tables=given, joins=joins)


def test_three_tables_become_the_rows_that_a_loop_would_make(root: Path) -> None:
    tables = write_shop(root.parent)
    joins = ["orders.customer_id=customers.id", "visits.customer=customers.id"]
    added = add_shop(root, ["customers", "orders"], joins)
    (word,) = [word for word in added.warnings if "no figures" in word]
    assert "columns of orders that are no numbers give no figures: status" in word
    copied = sorted(path.name for path in Path("data/source/visits").iterdir())
    assert copied == ["customers.csv", "orders.parquet", "visits.csv"]
    params = params_of(root, "visits")
    assert [join.time for join in params.dataset.joins] == [None, "ordered_at"]
    rows = rows_of(params)
    assert len(rows) == added.description.rows == 400
    assert {"age", "since", "orders_count", "orders_amount_mean", "orders_amount_last"} < set(rows)
    orders, ages = tables["orders"], tables["customers"].set_index("id")["age"]
    for place, visit in tables["visits"].iterrows():
        of_customer = orders["customer_id"] == visit["customer"]
        before = orders[of_customer & (orders["ordered_at"] < visit["visit_time"])]["amount"]
        wanted = [len(before), before.mean(), before.iloc[-1] if len(before) else np.nan]
        wanted.append(ages.get(visit["customer"], np.nan))
        names = ["orders_count", "orders_amount_mean", "orders_amount_last", "age"]
        found = rows.loc[place, names].astype("float64").tolist()
        assert found == pytest.approx(wanted, nan_ok=True), place


def test_keys_that_are_numbers_are_no_features(root: Path) -> None:
    ids = [row * 7 % 9 + 100 for row in range(27)]
    path = write(root.parent / "rents.csv", area=AREA, house=ids, rent=RENT)
    rooms = write(root.parent / "rooms.csv", house=ids, size=[row**2 % 23 for row in range(27)])
    # The house is a number in one file, and text in another.
    houses = pd.DataFrame({"number": map(str, range(100, 109)), "floors": [1, 2, 3] * 3})
    houses.to_parquet(root.parent / "houses.parquet")
    tables = [f"houses={root.parent / 'houses.parquet'}", f"rooms={rooms}"]
    joins = ["rents.house=houses.number", "rooms.house=houses.number"]
    added = add_dataset(root, path, "rent", tables=tables, joins=joins)
    assert any("rooms has no time" in warning for warning in added.warnings)
    params = params_of(root, "rents")
    assert params.columns.types["house"] == "category"
    assert "house (number): a key of a join" in Path("conf/dataset/rents.yaml").read_text()
    sizes = pd.read_csv(rooms).groupby("house")["size"].mean()
    rows = rows_of(params)
    assert rows["rooms_size_mean"].tolist() == pytest.approx([sizes[name] for name in ids])
    assert rows["floors"].tolist() == [(name - 100) % 3 + 1 for name in ids]


@pytest.mark.parametrize(
    ("tables", "joins", "message"),
    [
        (["customers"], [], "--table customers: no --join leads from visits to it"),
        ([], ["visits.customer=customers.id"], "there is no table customers.*with --table NAME="),
        (["customers"], ["customer=id"], "--join customer=id: write both sides as table.column"),
        (["customers"], ["visits.customer"], "visits.customer: write both sides as table.column"),
        (["customers"], ["visit.customer=customers.id"], r"no table visit \(did you mean visits\?"),
        (["customers"], ["visits.customer=customers.idd"], r"column idd: .* \(did you mean id\?"),
        (
            ["customers", "orders"],
            [*("visits.customer=orders.customer_id", "customers.id=orders.customer_id")],
            "table customers is joined to orders, which has many rows for one of visits",
        ),
        (
            ["customers"],
            ["visits.customer=customers.age"],
            "no row of customers has a key of visits",
        ),
        (["customers"], ["customers.id=customers.age"], "both sides are table customers"),
        (["customers", "customers"], [], "there is a table customers already"),
        (["visits=x.csv"], [], "there is a table visits already"),
        (["own"], ["own.customer=visits.customer"], "--table own: .* is another table already"),
        (["x.csv"], [], "--table x.csv: write a name"),
        (["lost=lost.csv"], [], "lost.csv: there is no such file"),
        (["lost=LOST_DB"], [], "LOST_DB: there is no such file, and no environment variable"),
    ],
)
def test_a_wrong_join_is_one_sentence_and_writes_nothing(
    root: Path, tables: list[str], joins: list[str], message: str
) -> None:
    write_shop(root.parent)
    with pytest.raises(UserError, match=message):
        add_shop(root, tables, joins)
    assert not Path("conf/dataset/visits.yaml").exists()
    assert not Path("data").exists()


def test_a_chain_of_tables_and_a_key_of_columns_of_two_tables(root: Path) -> None:
    towns = ["Oslo", "Bern", "Rome"]
    days = [f"2024-03-{day:02d}" for day in range(1, 7)]
    shops = [row % 9 for row in range(54)]
    sold = [row * 7 % 31 + 0.5 for row in range(54)]
    path = write(root.parent / "sales.csv", shop=shops, day=days * 9, sold=sold)
    columns = {
        "shops": {"id": range(9), "town": towns * 3, "sold": [5, 1, 4, 2, 8, 7, 3, 9, 6]},
        "towns": {"name": towns, "people": [700, 130, 2800]},
        "weather": {"town": towns * 6, "day": sorted(days * 3), "rain": range(18)},
    }
    tables = [f"{name}={write(root.parent / f'{name}.csv', **columns[name])}" for name in columns]  # type: ignore[arg-type]
    joins = ["sales.shop=shops.id", "shops.town=towns.name"]
    joins += ["sales.day=weather.day", "shops.town=weather.town"]
    add_dataset(root, path, "sold", tables=tables, joins=joins)
    params = params_of(root, "sales")
    assert [join.pairs for join in params.dataset.joins] == [
        *({"shop": "id"}, {"town": "name"}, {"day": "day", "town": "town"})
    ]
    assert params.dataset.joins[0].rename == {"sold": "shops_sold"}
    rows = rows_of(params)
    assert rows["sold"].tolist() == sold
    people = dict(zip(towns, [700, 130, 2800], strict=True))
    assert rows["people"].tolist() == [people[towns[shop % 3]] for shop in shops]
    assert rows["rain"].tolist() == [
        days.index(day) * 3 + shop % 3 for shop, day in zip(shops, days * 9, strict=True)
    ]


CELLS = {
    "numbers": ["1", "2.5", "-3", "0.125", "1e3", "12345678.25", ""],
    "German": ["1.234,5", "12,25", "-3,5", "1.000.000,75", "0,5", ""],
    "English": ["1,234.5", "12.25", "(3.5)", "1,000,000.75", "$0.5", ""],
    "weights": ["1.234,5 kg", "12 kg", "-3,5 kg", "1.000.000,75kg", ""],
    "shares": ["12.5 %", "3 %", "0.25%", "100 %", ""],
    "large": ["9007199254740993", "1234567890123456789", "9007199254740992", "7", ""],
    "odd numbers": ["1e400", "inf", "NaN", "-0", "1e-320", "3.4e38", "1", "2", "5"],
    "codes": ["007", "08", "0", "12", ""],
    "truths": ["Yes", "No", "yes", ""],
    "words": ["a", "b,c", 'say "x"', "line\nbreak", " edge ", "NA", "null", "${x}", "é", ""],
    "ISO": ["2024-01-31", "1600-02-01", "9999-12-31", "2024-02-01 17:00:00", ""],
    "dates": ["31.12.2024", "01.02.2023", "15.03.1899", "", "n/a"],
    "mixed": ["1", "x", "2024-01-01", "Yes", "", "-", "1,5"],
}
WRITTEN = [("utf-8", ",", "\n"), ("utf-8-sig", ";", "\r\n"), ("utf-16", "\t", "\n")]


@st.composite
def tables(draw: st.DrawFn) -> pd.DataFrame:
    """A table of texts: one to four columns of a kind each, and a target in the last one."""
    kinds = draw(st.lists(st.sampled_from([*CELLS]), min_size=1, max_size=4))
    rows = draw(st.integers(1, 40))
    names = draw(st.permutations([*ODD_NAMES, "_x", "!y", "x"]))
    target = draw(st.sampled_from(["truths", "words", "numbers", "German", "odd numbers", "mixed"]))
    columns = zip(names[: len(kinds) + 1], [*kinds, target], strict=True)
    random = np.random.default_rng(draw(st.integers(0, 1_000_000)))
    return pd.DataFrame({name: random.choice(CELLS[kind], rows) for name, kind in columns})


def by_pandas(texts: pd.Series, kind: str, form: str | None) -> pd.Series:
    """Return what pandas makes of the texts that are not missing."""
    if kind == "number":
        form, _ = split_unit(form) if form else (".5", "")
        thousands, decimal = "" if form[1].isdigit() else form[1], form[-2:]
        plain = texts.str.replace(r"kg|[$%\s]", "", regex=True).str.replace(thousands, "")
        plain = plain.str.replace(r"^\((.*)\)$", r"-\1", regex=True)
        return pd.to_numeric(plain.str.replace("," if "," in decimal else ".", "."))
    if kind == "boolean":
        return texts.str.strip().str.lower().isin(["yes", "1", "true"])
    if kind == "time":
        return pd.to_datetime(texts, format=form or "ISO8601").astype("datetime64[us]")
    return texts


@pytest.mark.slow
@settings(derandomize=True)
@given(tables(), st.sampled_from(WRITTEN))
def test_any_table_is_refused_in_a_paragraph_or_read_as_pandas_reads_it(
    root: Path, table: pd.DataFrame, written: tuple[str, str, str]
) -> None:
    encoding, separator, line_end = written
    path = root.parent / "any.csv"
    text = table.to_csv(None, index=False, sep=separator, lineterminator=line_end)
    path.write_bytes(text.encode(encoding))
    try:
        add_dataset(root, str(path), table.columns[-1], name="any", force=True)
    except UserError as error:
        assert "\n" not in str(error)
        return
    params = params_of(root, "any")
    rows = rows_of(params)
    options = params.source.options
    types = resolve_columns(params.columns, rows.columns)
    read = pd.read_csv(
        params.source.path,
        sep=options.get("separator", ","),
        encoding=options.get("encoding", "utf-8"),
        dtype="str",
        keep_default_na=False,
        names=options.get("names"),
        header=0,
    )
    held = read.mask(read.isin(["", *options.get("missing", [])]))
    assert len(rows) == held.dropna(how="all").index.max() + 1
    for name, found in rows.items():
        texts = held[name].iloc[: len(rows)]
        if not isinstance(found.dtype, pd.StringDtype):
            texts = texts.mask(texts.isin(["NA", "NaN", "null"]))
        wanted = by_pandas(texts.dropna(), types[name].type, options.get("formats", {}).get(name))
        clock = found.dt.tz_localize(None) if found.dtype.kind == "M" else found
        assert clock.dropna().tolist() == wanted.tolist(), name
