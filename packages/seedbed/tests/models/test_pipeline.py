"""Every model of conf/model fits every task, with missing values, on any number of threads."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import log_loss, roc_auc_score

from seedbed.errors import UserError
from seedbed.models.features import feature_frame, feature_kinds, mark_high_cardinality
from seedbed.models.pipeline import build_pipeline, fit_pipeline
from seedbed.models.predicting import predict_scores

MODELS = sorted(path.stem for path in (Path(__file__).parents[4] / "conf" / "model").glob("*.yaml"))
SOURCE = Path(__file__).parents[2] / "src"


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
@pytest.mark.parametrize("name", MODELS)
def test_a_model_fits_and_scores(name: str, task: str, tables, fitted_of) -> None:
    rows, pipeline = tables[task], fitted_of(name, task)
    kinds = feature_kinds(rows)
    unseen = rows[rows["_split"] == "test"].copy()
    for column, kind in kinds.items():
        unseen.loc[unseen.index[:3], column] = np.nan
        if kind == "category":
            unseen.loc[unseen.index[3:6], column] = "never seen"
    classes = ("0", "1", "2") if task == "multiclass" else ()
    scores = predict_scores(pipeline, feature_frame(unseen, kinds), task, classes)
    assert np.isfinite(scores).all()
    assert scores.shape == ((len(unseen), 3) if task == "multiclass" else (len(unseen),))
    if task != "regression":
        assert (scores >= 0).all() and (scores <= 1).all()
    if name != "dummy":
        assert np.std(scores) > 0


def test_a_model_learns(tables, model_of, fit) -> None:
    rows = tables["regression"]
    scores = predict_scores(
        fit(rows, model_of("logistic_regression"), "regression"),
        feature_frame(rows[rows["_split"] == "test"], feature_kinds(rows)),
        "regression",
    )
    assert np.corrcoef(scores, rows.loc[rows["_split"] == "test", "_target"])[0, 1] > 0.5


def test_a_seed_reaches_nested_estimators_and_changes_what_is_random(flights, model_of) -> None:
    model = model_of("stacking")
    pipeline = build_pipeline(model, "binary", feature_kinds(flights), seed=7)
    assert {
        value for key, value in pipeline.get_params().items() if key.endswith("random_state")
    } == {7}


def test_categories_reach_boosting_as_categories(flights, model_of, fit) -> None:
    pipeline = fit(flights, model_of("hist_gradient_boosting"), "binary")
    assert pipeline[-1].is_categorical_.tolist() == [True, True, True, False, False, False]


@pytest.mark.parametrize("categories", ["one_hot", "ordinal", "native"])
def test_boosting_takes_each_encoding(categories: str, flights, model_of, fit) -> None:
    model = model_of(
        "hist_gradient_boosting", preprocessing={"categories": categories, "min_frequency": 1}
    )
    assert hasattr(fit(flights, model, "binary")[-1], "classes_")


@pytest.mark.parametrize(
    ("name", "calibration", "wrapped"),
    [
        ("linear_svm", None, True),
        ("linear_svm", "isotonic", True),
        ("logistic_regression", "sigmoid", True),
        ("logistic_regression", None, False),
    ],
)
def test_calibration_is_a_choice_and_without_probabilities_a_must(
    name, calibration, wrapped, flights, model_of
) -> None:
    estimator = build_pipeline(
        model_of(name, calibration=calibration), "binary", feature_kinds(flights), 0
    )[-1]
    assert (type(estimator).__name__ == "CalibratedClassifierCV") == wrapped
    if wrapped:
        assert estimator.method == (calibration or "sigmoid")


@pytest.mark.parametrize(
    ("kind", "folds", "name"),
    [
        ("time", None, "StratifiedKFold"),
        ("random", None, "StratifiedKFold"),
        ("group", np.arange(6) % 3, "PredefinedSplit"),
    ],
)
def test_calibration_folds_follow_the_split(kind, folds, name, flights, model_of) -> None:
    inner = build_pipeline(
        model_of("linear_svm"), "binary", feature_kinds(flights), 0, kind, folds
    )[-1].cv
    assert type(inner).__name__ == name
    assert getattr(inner, "shuffle", None) is {"time": False, "random": True, "group": None}[kind]


@pytest.mark.parametrize(
    "name", ["logistic_regression", "linear_svm", "random_forest", "hist_gradient_boosting"]
)
def test_balanced_class_weights_raise_the_scores_of_the_rarer_class(
    name: str, flights, model_of, fit
) -> None:
    rows, kinds = flights[flights["_split"] == "validation"], feature_kinds(flights)
    plain, balanced = (
        predict_scores(
            fit(flights, model_of(name, class_weight=weight), "binary"),
            feature_frame(rows, kinds),
            "binary",
        )
        for weight in (None, "balanced")
    )
    if name == "linear_svm":  # calibration brings the level back
        assert (plain != balanced).any()
    else:
        assert balanced.mean() > plain.mean() + 0.05


def test_the_mean_target_of_noise_teaches_nothing(model_of) -> None:
    random = np.random.default_rng(0)
    rows = pd.DataFrame({"shop": pd.Series(random.integers(0, 400, 2000), dtype="str")})
    target = random.random(2000) < 0.5
    pipeline = build_pipeline(
        model_of("hist_gradient_boosting"), "binary", {"shop": "high_cardinality"}, 0
    )
    fit_pipeline(pipeline, rows[:1000], target[:1000], "hist_gradient_boosting")
    scores = predict_scores(pipeline, rows[1000:], "binary")
    # Were each row's own target part of its mean, scores would be near 0 and 1 and log loss at 1.5.
    assert log_loss(target[1000:], scores) < 0.8


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_the_mean_target_of_a_value_is_learned_and_an_unknown_value_is_average(
    task: str, model_of
) -> None:
    random = np.random.default_rng(0)
    shops = random.integers(0, 300, 3000)
    target = {
        "binary": shops % 2 == 0,
        "multiclass": (shops % 3).astype(str),
        "regression": shops % 5 * 10.0,
    }[task]
    rows = pd.DataFrame({"shop": pd.Series(shops, dtype="str")})
    pipeline = build_pipeline(
        model_of("hist_gradient_boosting"), task, {"shop": "high_cardinality"}, 0
    )
    fit_pipeline(pipeline, rows, target, "hist_gradient_boosting")
    assert (pipeline.predict(rows) == target).mean() > 0.95 or np.corrcoef(
        pipeline.predict(rows), target.astype(float)
    )[0, 1] > 0.99
    unknown = pd.DataFrame({"shop": pd.Series(["?", None], dtype="str")})
    assert np.isfinite(predict_scores(pipeline, unknown, task, ("0", "1", "2"))).all()


@pytest.mark.parametrize("limit", [254, None])
@pytest.mark.parametrize("name", ["hist_gradient_boosting", "logistic_regression", "random_forest"])
def test_a_category_of_five_thousand_values_is_fitted_with_and_without_mean_targets(
    name: str, limit: int | None, model_of
) -> None:
    random = np.random.default_rng(0)
    codes = random.integers(0, 5000, 6000)
    rows = pd.DataFrame({"code": pd.Series(codes, dtype="str"), "x": random.normal(size=6000)})
    target = rows["x"].to_numpy() + (codes % 2) > 0.5
    kinds = mark_high_cardinality({"code": "category", "x": "number"}, rows, limit)
    assert kinds["code"] == ("category" if limit is None else "high_cardinality")
    pipeline = build_pipeline(model_of(name), "binary", kinds, 0)
    fit_pipeline(pipeline, rows[:5000], target[:5000], name)
    scores = predict_scores(pipeline, rows[5000:], "binary")
    assert roc_auc_score(target[5000:], scores) > 0.75


@pytest.mark.parametrize("name", ["hist_gradient_boosting", "logistic_regression", "mlp"])
@pytest.mark.parametrize("transform", ["log", "quantile"])
def test_a_skewed_target_is_predicted_in_its_own_unit(
    transform: str, name: str, diabetes, model_of, fit
) -> None:
    rows = diabetes.assign(_target=np.exp(diabetes["_target"] / 30))
    test = rows[rows["_split"] == "test"]
    found = {
        chosen: predict_scores(
            fit(rows, model_of(name, target_transform=chosen), "regression"),
            feature_frame(test, feature_kinds(rows)),
            "regression",
        )
        for chosen in (None, transform)
    }
    truth = np.log(test["_target"])
    skill = {key: np.corrcoef(np.log(scores.clip(1)), truth)[0, 1] for key, scores in found.items()}
    assert found[transform].min() > 0 and found[transform].max() < 10 * rows["_target"].max()
    assert skill[transform] > max(0.4, skill[None])


NOT_CALLED = [{"_target_": "os.system", "command": "true"}]


@pytest.mark.parametrize(
    ("name", "task", "changes", "message"),
    [
        (
            "mlp",
            "binary",
            {"class_weight": "balanced"},
            r"model\.class_weight.*MLPClassifier.*takes no class weights",
        ),
        (
            "random_forest",
            "regression",
            {"class_weight": "balanced"},
            r"model\.class_weight.*no meaning in a regression",
        ),
        ("mlp", "regression", {"calibration": "sigmoid"}, r"model\.calibration.*regression"),
        (
            "random_forest",
            "binary",
            {"preprocessing": {"categories": "native"}},
            r"model\.preprocessing\.categories.*RandomForestClassifier",
        ),
        (
            "random_forest",
            "binary",
            {"arguments": {"depth_of_tree": 3}},
            r"conf/model/random_forest\.yaml.*RandomForestClassifier has no argument depth_of_tree\.",
        ),
        (
            "random_forest",
            "binary",
            {"arguments": {"max_detph": 3}},
            r"no argument max_detph \(did you mean max_depth\?\)\. Correct it there, or model\.arg",
        ),
        (
            "random_forest",
            "binary",
            {"classification": {"_target_": "sklearn.pipeline.make_pipeline", "verbsoe": True}},
            r"make_pipeline has no argument verbsoe \(did you mean verbose\?\)\.",
        ),
        (
            "random_forest",
            "binary",
            {
                "classification": {
                    "_target_": "sklearn.ensemble.BaggingClassifier",
                    "n_estimators": 3,
                    "estimator": {
                        "_target_": "sklearn.linear_model.LogisticRegression",
                        "n_estimators": 3,
                    },
                }
            },
            r"cannot be made.*LogisticRegression.*n_estimators.*estimator",
        ),
        *(
            (
                "random_forest",
                "binary",
                {"classification": {"_target_": target}, "arguments": {}},
                message,
            )
            for target, message in (
                (
                    "sklearn.ensemble.HistGradientBostingClassifier",
                    r"conf/model/random_forest\.yaml: the estimator cannot be made\. sklearn\.ensemble has "
                    r"no HistGradientBostingClassifier \(did you mean HistGradientBoostingClassifier\?\)\.",
                ),
                (
                    "sklearn.ensembel.RandomForestClassifier",
                    r"There is no sklearn\.ensembel\.RandomForestClassifier: No module named 'sklearn\.ensem"
                    r"bel'\. If a package is missing, add it to pyproject\.toml and run `make lock setup`\.",
                ),
                (
                    "sklearn.linear_model.Ridge",
                    r"conf/model/random_forest\.yaml: Ridge has neither predict_proba nor decision_function",
                ),
                ("project.models.Bagged", r"There is no project\.models\.Bagged: No module named"),
            )
        ),
        (
            "random_forest",
            "binary",
            {"arguments": {"inner": NOT_CALLED}},
            r"'os.system'.*may be called.*conf/model/random_forest\.yaml",
        ),
        (
            "dummy",
            "binary",
            {
                "classification": {"_target_": "sklearn.datasets.load_wine", "strategy": None},
                "arguments": {},
            },
            r"conf/model/dummy\.yaml",
        ),
    ],
)
def test_a_model_that_cannot_be_built_is_an_error(
    name: str, task: str, changes: dict, message: str, tables, model_of
) -> None:
    with pytest.raises(UserError, match=message):
        build_pipeline(model_of(name, **changes), task, feature_kinds(tables[task]), 0)


def test_what_scikit_learn_refuses_names_the_file(flights, model_of, fit) -> None:
    with pytest.raises(UserError, match=r"conf/model/random_forest\.yaml.*n_estimators"):
        fit(flights, model_of("random_forest", arguments={"n_estimators": -1}), "binary")


def test_a_class_that_a_fold_lacks_has_probability_0(wine, model_of, fit) -> None:
    pipeline = fit(wine[wine["_target"] != "1"], model_of("logistic_regression"), "multiclass")
    scores = predict_scores(
        pipeline, feature_frame(wine, feature_kinds(wine)), "multiclass", ("0", "1", "2")
    )
    assert (scores[:, 1] == 0).all()
    np.testing.assert_allclose(scores.sum(axis=1), 1)


PROGRAM = """
import sys
from pathlib import Path
import numpy as np, pandas as pd
from seedbed.config.yaml_files import load_yaml
from seedbed.config.modelling import Model
from seedbed.config.preparation import Features, Text
from seedbed.models.cross_validation import fit_with_folds
from seedbed.models.decision import Decision
from seedbed.models.serialization import dump_pipeline
random = np.random.default_rng(0)
rows = pd.DataFrame(random.normal(size=(3000, 6)), columns=list("abcdef"))
rows["text"] = pd.Series(random.choice(list("xyz"), 3000), dtype="str")
rows["shop"] = pd.Series(random.integers(0, 500, 3000), dtype="str")
notes = (" ".join(words) for words in random.choice(["late", "lost", "wet", "bent"], (3000, 3)))
rows["note"] = pd.Series(notes, dtype="str")
rows.loc[::9, ["a", "shop", "note"]] = None
target = rows["b"].to_numpy() + random.normal(size=3000) > 0
kinds = {
    **dict.fromkeys("abcdef", "number"),
    "text": "category",
    "shop": "high_cardinality",
    "note": "text",
}
learned = Features(
    clip=[0.01, 0.99], missing_indicators=True, selection="importance", selected=10,
    text=Text(components=5),
)
decision = Decision("binary", kinds, (False, True))
place = Path(sys.argv[-1])
for path in map(Path, sys.argv[1:-1]):
    model = Model.model_validate(load_yaml(path))
    folds = np.arange(3000) // 1000
    pipeline, scored = fit_with_folds(model, rows, target, decision, folds, "time", 0, learned)
    dump_pipeline(pipeline, place / f"{path.stem}.skops")
    scores = b"".join(scores.tobytes() for _, _, scores in scored)
    (place / f"{path.stem}.scores").write_bytes(scores)
"""


@pytest.mark.slow
def test_one_thread_and_two_give_the_same_bytes_of_every_model(tmp_path: Path) -> None:
    found: list[dict[str, str]] = []
    for count in (1, 2):
        place = tmp_path / str(count)
        place.mkdir()
        files = [str(SOURCE.parents[2] / "conf" / "model" / f"{name}.yaml") for name in MODELS]
        environment = {
            **os.environ,
            "PYTHONPATH": str(SOURCE),
            "OMP_NUM_THREADS": str(count),
            "PYTHONHASHSEED": str(count),
        }
        subprocess.run(
            [sys.executable, "-c", PROGRAM, *files, str(place)],
            env=environment,
            check=True,
            cwd=place,
        )
        found.append(
            {
                path.name: hashlib.sha256(path.read_bytes()).hexdigest()
                for path in sorted(place.iterdir())
            }
        )
    assert len(found[0]) == 2 * len(MODELS)
    assert found[0] == found[1]
