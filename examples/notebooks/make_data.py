"""Writes the data of the example notebooks: `python make_data.py` (needs numpy and pandas).

Nobody's real data: every file is drawn from a seeded generator of its own, so one can be changed without
touching the others. They are as dirty as an export from a company's database: missing cells, one category
spelt in three ways, numbers stored as text, half-imported rows, the same row twice.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

DATA = Path(__file__).parent / "data"


def sigmoid(x: np.ndarray) -> np.ndarray:
    return np.asarray(1 / (1 + np.exp(-x)))


def pick(rng: np.random.Generator, weights: dict[str, float], size: int) -> np.ndarray:
    """Categories drawn with the given weights, as objects so that cells can be blanked or respelt."""
    p = np.array(list(weights.values()))
    return np.array(list(weights), dtype=object)[rng.choice(len(p), size, p=p / p.sum())]


def blank(rng: np.random.Generator, frame: pd.DataFrame, rates: dict[str, float]) -> None:
    """Makes a share of the cells of each column missing."""
    for column, rate in rates.items():
        frame[column] = frame[column].mask(rng.random(len(frame)) < rate)


def respell(rng: np.random.Generator, values: np.ndarray, rate: float) -> np.ndarray:
    """A share of the values in lower case or with a blank behind: people typed them."""
    draw = rng.random(len(values))
    lower, padded = draw < rate / 2, (draw >= rate / 2) & (draw < rate)
    return np.array(
        [v.lower() if a else v + " " if b else v for v, a, b in zip(values, lower, padded, strict=True)],
        dtype=object,
    )


def days_from(rng: np.random.Generator, start: str, days: int, size: int) -> pd.Series:
    return pd.Series(pd.Timestamp(start) + pd.to_timedelta(rng.integers(0, days, size), unit="D"))


def churn(n: int = 1800) -> pd.DataFrame:
    rng = np.random.default_rng(11)
    internet = pick(rng, {"Fiber optic": 44, "DSL": 34, "No": 22}, n)
    contract = pick(rng, {"Month-to-month": 55, "One year": 21, "Two year": 24}, n)
    long = np.select([contract == "Two year", contract == "One year"], [34.0, 20.0], 3.0)
    tenure = np.clip(rng.gamma(1.3, 14, n) + long * rng.random(n) - 1, 0, 72).astype(int)
    base = np.select([internet == "Fiber optic", internet == "DSL"], [78.0, 52.0], 20.0)
    monthly = np.clip(base + rng.normal(0, 9, n), 18, 120).round(2)
    df = pd.DataFrame(
        {
            "customerID": [
                f"{number:04d}-{code}"
                for number, code in zip(rng.permutation(10000)[:n], letters(rng, n), strict=True)
            ],
            "gender": pick(rng, {"Male": 50, "Female": 50}, n),
            "SeniorCitizen": (rng.random(n) < 0.16).astype(int),
            "Partner": pick(rng, {"Yes": 48, "No": 52}, n),
            "Dependents": pick(rng, {"Yes": 30, "No": 70}, n),
            "tenure": tenure,
            "InternetService": internet,
            "OnlineSecurity": np.where(internet == "No", "No", pick(rng, {"Yes": 38, "No": 62}, n)),
            "TechSupport": np.where(internet == "No", "No", pick(rng, {"Yes": 37, "No": 63}, n)),
            "Contract": contract,
            "PaperlessBilling": pick(rng, {"Yes": 59, "No": 41}, n),
            "PaymentMethod": pick(
                rng, {"Electronic check": 34, "Mailed check": 23, "Bank transfer": 22, "Credit card": 21}, n
            ),
            "Region": pick(rng, {"North": 30, "South": 26, "East": 24, "West": 20}, n),
            "SupportCalls": rng.poisson(np.where(internet == "Fiber optic", 1.7, 0.9)),
            "MonthlyCharges": monthly,
        }
    )
    risk = (
        -1.2
        - 0.045 * tenure
        + 0.025 * (monthly - 60)
        + 0.42 * df["SupportCalls"]
        + 1.5 * (contract == "Month-to-month")
        - 1.0 * (contract == "Two year")
        + 0.6 * (df["PaymentMethod"] == "Electronic check")
        - 0.5 * (df["TechSupport"] == "Yes")
        + 0.4 * df["SeniorCitizen"]
        - 0.3 * (df["Dependents"] == "Yes")
    )
    df["Churn"] = np.where(rng.random(n) < sigmoid(1.25 * np.asarray(risk)), "Yes", "No")
    total = (tenure * monthly * rng.normal(1, 0.03, n)).round(2)
    df.insert(15, "TotalCharges", [f"{t:.2f}" if m else " " for t, m in zip(total, tenure, strict=True)])
    df["PaymentMethod"] = respell(rng, df["PaymentMethod"].to_numpy(), 0.06)
    blank(
        rng,
        df,
        {
            "MonthlyCharges": 0.04,
            "SupportCalls": 0.07,
            "Region": 0.05,
            "PaymentMethod": 0.02,
            "TechSupport": 0.02,
            "Contract": 0.008,
        },
    )
    return df


def letters(rng: np.random.Generator, n: int) -> list[str]:
    return ["".join(row) for row in np.array(list("ABCDEFGHJKLMNPQRSTUVWXYZ"))[rng.integers(0, 24, (n, 5))]]


# neighbourhood -> (weight, price factor, typical street frontage in feet, built around)
PLACES = {
    "Oldtown": (22, 0.82, 55, 1932),
    "Riverside": (18, 1.12, 72, 1968),
    "Hillcrest": (14, 1.38, 84, 1994),
    "Northgate": (20, 0.95, 64, 1979),
    "Meadow Park": (16, 1.05, 70, 2001),
    "Station": (10, 0.74, 48, 1955),
}


def house_prices(n: int = 1500) -> pd.DataFrame:
    rng = np.random.default_rng(22)
    place = pick(rng, {k: v[0] for k, v in PLACES.items()}, n)
    factor, front, built = (np.array([PLACES[p][i] for p in place], dtype=float) for i in (1, 2, 3))
    sold = days_from(rng, "2019-01-02", 1790, n)
    year_built = np.minimum(built + rng.normal(0, 13, n), sold.dt.year - 1).astype(int)
    living = np.exp(rng.normal(7.25, 0.32, n)).round()
    quality = np.clip((rng.normal(5.6, 1.3, n) + (year_built - 1970) / 45).round(), 1, 10).astype(int)
    df = pd.DataFrame(
        {
            "Id": np.arange(1, n + 1),
            "SaleDate": sold.dt.strftime("%Y-%m-%d"),
            "ListingDate": (sold - pd.to_timedelta(rng.gamma(2, 24, n).round(), unit="D")).dt.strftime(
                "%d/%m/%Y"
            ),
            "Neighborhood": place,
            "HouseStyle": pick(rng, {"1Story": 48, "2Story": 34, "1.5Fin": 12, "Split": 6}, n),
            "YearBuilt": year_built,
            "LotArea": np.exp(rng.normal(9.1, 0.38, n)).round().astype(int),
            "LotFrontage": np.clip(front + rng.normal(0, 11, n), 20, 180).round(),
            "LivingArea": living,
            "OverallQual": quality,
            "Bedrooms": np.clip((living / 560 + rng.normal(0.4, 0.6, n)).round(), 1, 7).astype(int),
            "Bathrooms": np.clip((living / 900 + rng.normal(0.2, 0.4, n)).round(), 1, 4).astype(int),
            "GarageCars": np.clip((living / 900 + rng.normal(0, 0.5, n)).round(), 0, 4) + 0.0,
            "Heating": pick(rng, {"Gas": 78, "Electric": 12, "Oil": 8, "Wood": 2}, n),
            "Condition": pick(rng, {"Average": 52, "Good": 30, "Fair": 10, "Excellent": 5, "Poor": 3}, n),
        }
    )
    shine = df["Condition"].map({"Poor": -0.2, "Fair": -0.08, "Average": 0, "Good": 0.05, "Excellent": 0.11})
    season = 0.02 * np.sin(2 * np.pi * (sold.dt.month - 3) / 12)
    log_price = (
        7.55
        + 0.52 * np.log(living)
        + 0.08 * np.log(df["LotArea"])
        + 0.075 * quality
        + 0.6 * np.log(factor)
        + 0.04 * df["GarageCars"]
        - 0.002 * (sold.dt.year - year_built)
        + 0.03 * (sold.dt.year - 2019)
        + shine
        + season
        + rng.normal(0, 0.13, n)
    )
    df["SalePrice"] = (np.exp(log_price) / 500).round().astype(int) * 500
    huge = rng.choice(n, 9, replace=False)  # the wrong unit was typed, or it is a farm
    df.loc[huge, "LotArea"] = df.loc[huge, "LotArea"] * 11
    df.loc[huge[:4], "LivingArea"] = df.loc[huge[:4], "LivingArea"] * 3
    df["Condition"] = respell(rng, df["Condition"].to_numpy(), 0.08)
    blank(
        rng,
        df,
        {"LotFrontage": 0.17, "GarageCars": 0.06, "LivingArea": 0.01, "Heating": 0.03, "HouseStyle": 0.01},
    )
    return df


FAMILIES = [
    "Hollis",
    "Marten",
    "O'Dell",
    "Petrov",
    "Lindqvist",
    "Garside",
    "Abbot",
    "Nakash",
    "Fournier",
    "Wick",
    "Andersson",
    "Keane",
    "Rossi",
    "Van der Berg",
    "Sutter",
    "Hale",
    "Brandt",
    "Coyle",
    "Yousef",
    "Tindall",
]
MEN = ["John", "William Henry", "Karl", "George", "Thomas", "Johan", "Elias", "Edward", "Luka", "Frank"]
WOMEN = ["Mary", "Anna Sofia", "Elizabeth", "Margaret", "Ida", "Alice", "Katherine", "Helen", "Emma", "Rosa"]


def titanic(n: int = 1300, n_train: int = 891) -> tuple[pd.DataFrame, pd.DataFrame]:
    rng = np.random.default_rng(33)
    male = rng.random(n) < 0.64
    klass = rng.choice([1, 2, 3], n, p=[0.25, 0.21, 0.54])
    age = np.clip(rng.normal(39 - 5 * klass, 13, n), 0.5, 78)
    child = rng.random(n) < 0.09
    age = np.where(child, rng.uniform(0.5, 14, n), age).round(1)
    title = titles(rng, male, age)
    siblings = np.clip(rng.poisson(0.5, n), 0, 5)
    parents = np.where(age < 15, rng.integers(0, 3, n), np.clip(rng.poisson(0.25, n), 0, 5))
    log_fare = rng.normal(np.select([klass == 1, klass == 2], [3.95, 2.75], 2.25), 0.45)
    fare = np.exp(log_fare) * (1 + 0.35 * siblings)
    cabin = [
        f"{deck}{number}"
        for deck, number in zip(rng.choice(list("ABCDE"), n), rng.integers(2, 120, n), strict=True)
    ]
    df = pd.DataFrame(
        {
            "PassengerId": np.arange(1, n + 1),
            "Pclass": klass,
            "Name": [
                f"{rng.choice(FAMILIES)}, {t}. {rng.choice(MEN if m else WOMEN)}"
                for t, m in zip(title, male, strict=True)
            ],
            "Sex": np.where(male, "male", "female"),
            "Age": age,
            "SibSp": siblings,
            "Parch": parents,
            "Ticket": rng.integers(2000, 390000, n).astype(str),
            "Fare": fare.round(4),
            "Cabin": cabin,
            "Embarked": pick(rng, {"S": 72, "C": 19, "Q": 9}, n),
        }
    )
    luck = (
        0.75
        - 2.6 * male
        + 0.9 * (klass == 1)
        - 0.95 * (klass == 3)
        + 1.9 * (age < 13)
        - 0.012 * (age - 29)
        - 0.35 * np.maximum(siblings + parents - 2, 0)
        + 0.35 * (df["Embarked"] == "C")
        + 0.15 * np.log(fare)
    )
    df.insert(1, "Survived", (rng.random(n) < sigmoid(1.6 * np.asarray(luck))).astype(int))
    df["Cabin"] = df["Cabin"].where(rng.random(n) < np.select([klass == 1, klass == 2], [0.82, 0.12], 0.03))
    blank(rng, df, {"Age": 0.2})
    train, test = df[:n_train].copy(), df[n_train:].drop(columns="Survived")
    test["Fare"] = test["Fare"].clip(train["Fare"].min(), train["Fare"].max())
    train.loc[[61, 829], "Embarked"] = None
    test.loc[[n_train + 152], "Fare"] = None
    return train, test


def titles(rng: np.random.Generator, male: np.ndarray, age: np.ndarray) -> np.ndarray:
    rare = rng.random(len(male)) < 0.05
    married = rng.random(len(male)) < np.clip((age - 16) / 22, 0, 0.85)
    common = np.select([male & (age < 13), male, married], ["Master", "Mr", "Mrs"], "Miss")
    lady = pick(rng, {"Mlle": 2, "Mme": 1, "Ms": 2, "Lady": 1}, len(male))
    gentleman = pick(rng, {"Dr": 7, "Rev": 6, "Col": 2, "Major": 2, "Capt": 1, "Sir": 1}, len(male))
    return np.where(rare & (age > 20), np.where(male, gentleman, lady), common)


OPENINGS = [
    "",
    "",
    "Bought this for my sister. ",
    "Second order from this shop. ",
    "Hm. ",
    "Update after 2 weeks: ",
    "I have had it for {n} months now. ",
    "First impression: ",
    "So... ",
    "<b>Verified purchase</b> ",
]
SAYS = {
    "positive": [
        "works great",
        "love it",
        "excellent quality",
        "arrived early and well packed",
        "worth every cent",
        "would buy again",
        "the sound is superb",
        "very easy to set up",
        "battery lasts for days",
        "support was friendly and quick",
        "exceeded my expectations",
        "really sturdy",
        "no complaints at all",
    ],
    "neutral": [
        "it is okay",
        "does what it says, nothing more",
        "average for the price",
        "neither good nor bad",
        "the colour differs a bit from the picture",
        "manual could be clearer",
        "does the job",
        "as expected",
        "fine for occasional use",
        "shipping took {n} days",
        "mixed feelings",
    ],
    "negative": [
        "broke after {n} days",
        "waste of money",
        "terrible quality",
        "never arrived",
        "does not work",
        "asked for a refund",
        "battery dies within an hour",
        "support never answered",
        "very disappointed",
        "looks cheap and feels cheap",
        "stopped charging",
        "would not buy again",
        "the strap is not sturdy",
    ],
}
CLOSINGS = [
    "",
    "",
    ".",
    "!!!",
    " :)",
    " :(",
    ". Paid {n}0 EUR",
    " - see https://example.com/r/{n}",
    "... anyway",
    ". Not what I expected",
    ". Thanks",
    ", my husband says the same",
]


def reviews(n: int = 1600) -> pd.DataFrame:
    rng = np.random.default_rng(44)
    label = pick(rng, {"positive": 52, "neutral": 18, "negative": 30}, n)
    df = pd.DataFrame(
        {
            "review_id": [f"R{i:05d}" for i in rng.permutation(90000)[:n]],
            "date": days_from(rng, "2022-03-01", 900, n).dt.strftime("%Y-%m-%d"),
            "product": pick(rng, {"headphones": 35, "watch": 28, "speaker": 22, "charger": 15}, n),
            "text": [sentence(rng, mood) for mood in label],
            "helpful_votes": rng.poisson(1.4, n),
            "sentiment": label,
        }
    )
    slip = rng.random(n) < 0.13  # annotators disagree
    df.loc[slip, "sentiment"] = pick(rng, {"positive": 1, "neutral": 1, "negative": 1}, int(slip.sum()))
    curt = rng.choice(n, 18, replace=False)
    df.loc[curt, "text"] = pick(rng, {"ok": 3, "!!!": 1, "5/5": 1, "Good.": 2}, len(curt))
    blank(rng, df, {"text": 0.012, "helpful_votes": 0.03})
    return df


def sentence(rng: np.random.Generator, mood: str) -> str:
    """One to three remarks; a neutral or lukewarm reviewer mixes moods."""
    further = rng.integers(0, 3)
    moods = [mood] + [mood if rng.random() < 0.72 else str(rng.choice(list(SAYS))) for _ in range(further)]
    remarks = [str(rng.choice(SAYS[m])) for m in moods]
    joined = str(rng.choice([", ", ". ", " and ", " but "])).join(remarks)
    text = str(rng.choice(OPENINGS)) + joined + str(rng.choice(CLOSINGS))
    text = text.replace("{n}", str(rng.integers(2, 30)))
    return text.upper() if rng.random() < 0.04 else text[0].upper() + text[1:]


def customers(n: int = 1200) -> pd.DataFrame:
    rng = np.random.default_rng(55)
    # kind -> orders a year, basket in EUR, days since the last order, share returned, age
    kinds = np.array(
        [
            [4, 38, 95, 0.04, 47],
            [19, 54, 16, 0.07, 36],
            [9, 190, 40, 0.09, 51],
            [11, 62, 34, 0.38, 29],
            [2, 45, 310, 0.05, 42],
        ],
        dtype=float,
    )
    kind = kinds[rng.choice(5, n, p=[0.3, 0.22, 0.14, 0.16, 0.18])]
    orders = np.maximum(rng.poisson(kind[:, 0]), 1)
    last = pd.Timestamp("2024-06-30") - pd.to_timedelta(rng.gamma(4, kind[:, 2] / 4).round(), unit="D")
    df = pd.DataFrame(
        {
            "customer_id": rng.permutation(np.arange(100000, 100000 + 9 * n, 9)),
            "country": pick(rng, {"DE": 40, "AT": 18, "CH": 15, "NL": 14, "FR": 13}, n),
            "age": np.clip(rng.normal(kind[:, 4], 9), 18, 85).round(),
            "signup_date": (
                pd.Timestamp("2024-01-01") - pd.to_timedelta(rng.integers(30, 1500, n), unit="D")
            ).strftime("%Y-%m-%d"),
            "last_order": last.strftime("%Y-%m-%d"),
            "orders": orders,
            "total_spent": (orders * kind[:, 1] * np.exp(rng.normal(0, 0.25, n))).round(2),
            "returns": rng.binomial(orders, kind[:, 3]),
            "newsletter": pick(rng, {"yes": 50, "no": 44, "Y": 6}, n),
        }
    )
    blank(rng, df, {"age": 0.08, "total_spent": 0.02, "newsletter": 0.04})
    twice = df.iloc[rng.choice(n, 14, replace=False)]  # the export ran over midnight
    return pd.concat([df, twice], ignore_index=True)


def leads(n: int = 700) -> pd.DataFrame:
    rng = np.random.default_rng(66)
    channel = pick(rng, {"search": 40, "social": 30, "mail": 18, "fair": 12}, n)
    visits = rng.poisson(4, n) + 1
    discount = rng.choice([0, 5, 10, 15, 20], n, p=[0.45, 0.2, 0.18, 0.1, 0.07])
    minutes = (rng.gamma(2, 3, n) + 0.4 * visits).round(1)
    pull = -2.6 + 0.16 * visits + 0.06 * discount + 0.09 * minutes + 0.7 * (channel == "fair")
    df = pd.DataFrame(
        {
            "lead_id": np.arange(5001, 5001 + n),
            "created": days_from(rng, "2023-01-01", 540, n).dt.strftime("%Y-%m-%d"),
            "channel": channel,
            "visits": visits,
            "minutes_on_site": minutes,
            "discount": discount,
            "budget": (np.exp(rng.normal(7.8, 0.6, n)) / 10).round() * 10,
            "converted": (rng.random(n) < sigmoid(2.2 * (pull + 0.3))).astype(int),
        }
    )
    blank(rng, df, {"minutes_on_site": 0.06, "budget": 0.1})
    return df


def main() -> None:
    DATA.mkdir(exist_ok=True)
    train, test = titanic()
    files = {
        "churn": churn(),
        "house_prices": house_prices(),
        "titanic_train": train,
        "titanic_test": test,
        "reviews": reviews(),
        "customers": customers(),
        "leads": leads(),
    }
    for name, frame in files.items():
        frame.to_csv(DATA / f"{name}.csv", index=False, lineterminator="\n")


if __name__ == "__main__":
    main()
