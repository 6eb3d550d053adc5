"""A table as people have it: columns of all kinds, with gaps, in files of all kinds."""

import gzip
import io

import numpy as np
import pandas as pd

N_ROWS = 240


def houses(seed=0):
    """Return houses whose price follows from size, heating and age, with missing values."""
    rng = np.random.default_rng(seed)
    days = rng.integers(0, 20_000, N_ROWS)
    frame = pd.DataFrame(
        {
            "id": [f"{i:04}" for i in range(N_ROWS)],
            "size": rng.normal(120, 40, N_ROWS).round(1),
            "heating": rng.choice(["gas", "oil", "wood"], N_ROWS),
            "built": pd.Timestamp("2020-01-01") - pd.to_timedelta(days, "D"),
            "pool": rng.choice([True, False], N_ROWS),
            "street": [f"{i} Main Street" for i in range(N_ROWS)],
            "country": "FR",
        }
    )
    price = 2 * frame["size"] + 80 * (frame["heating"] == "gas") - days / 200
    frame["price"] = (price + rng.normal(0, 5, N_ROWS)).round(2)
    frame["rooms"] = pd.cut(frame["size"], [-1e9, 90, 120, 150, 1e9], labels=False) + 1
    frame["wanted"] = np.where(frame["price"] > frame["price"].median(), "yes", "no")
    frame.loc[::7, "size"] = np.nan
    frame.loc[::5, "heating"] = None
    return frame


def german(frame):
    frame = frame.assign(built=frame["built"].dt.strftime("%d.%m.%Y"))
    return frame.to_csv(index=False, sep=";", decimal=",").encode("cp1252")


def parquet(frame):
    file = io.BytesIO()
    frame.assign(id=frame["id"].astype(int)).to_parquet(file)
    return file.getvalue()


FILES = {
    "gzip": ("a.csv.gz", lambda frame: gzip.compress(frame.to_csv(index=False).encode())),
    "German": ("a.csv", german),
    "tabs": ("a.tsv", lambda frame: frame.to_csv(index=False, sep="\t").encode()),
    "UTF-16": ("a.txt", lambda frame: frame.to_csv(index=False).encode("utf-16")),
    "Parquet": ("a.parquet", parquet),
}
