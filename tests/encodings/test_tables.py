from __future__ import annotations

import io
import json

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from terrella.encodings.csv import Csv
from terrella.encodings.parquet import Parquet
from terrella.encodings.tables import row_count, table


def test_rows_are_all_there(dataset, extracted) -> None:
    made = table(extracted(dataset))
    assert made.num_rows == row_count(dataset)
    name = next(iter(dataset))
    given = dataset[name].to_numpy().ravel()
    found = made[name].to_numpy()
    np.testing.assert_array_equal(np.sort(found[~np.isnan(found)]), np.sort(given[~np.isnan(given)]))


def test_each_row_equals_what_xarray_selects(shapes, extracted) -> None:
    dataset = shapes["ensemble_grid"]()
    made = table(extracted(dataset[["t2m"]])).to_pandas()
    for row in made.sample(20, random_state=1).itertuples():
        at = {"number": row.number, "time": row.time.tz_localize(None), "lat": row.latitude, "lon": row.longitude}
        np.testing.assert_array_equal(np.float32(row.t2m), dataset.t2m.sel(at).to_numpy())


def test_parquet_reads_in_pandas(dataset, extracted) -> None:
    found = pd.read_parquet(io.BytesIO(Parquet().encode(extracted(dataset))))
    assert len(found) == row_count(dataset)
    assert {"longitude", "latitude"} <= set(found.columns)


def test_parquet_metadata(shapes, extracted) -> None:
    schema = pq.read_schema(io.BytesIO(Parquet().encode(extracted(shapes["series"]()))))
    assert schema.field("t2m").metadata[b"units"] == b"K"
    assert schema.field("time").type == pa.timestamp("ms", tz="UTC")
    assert json.loads(schema.metadata[b"terrella:receipt"])["licence"] == "CC-BY-4.0"


def test_forecast_has_valid_times(shapes, extracted) -> None:
    found = table(extracted(shapes["forecast"]())).to_pandas()
    assert (found.time - found.reference_time).dt.total_seconds().unique().tolist() == [0, 6 * 3600, 12 * 3600]


def test_csv_reads_in_pandas(dataset, extracted) -> None:
    text = Csv().encode(extracted(dataset))
    found = pd.read_csv(io.BytesIO(text))
    assert len(found) == row_count(dataset)
    name = next(iter(dataset))
    given = dataset[name].to_numpy().ravel()
    got = found[name].to_numpy("f4")
    np.testing.assert_array_equal(np.sort(got[~np.isnan(got)]), np.sort(given[~np.isnan(given)]))


def test_csv_text(shapes, extracted) -> None:
    lines = Csv().encode(extracted(shapes["series"]())).decode().splitlines()
    assert lines[0] == "time,longitude,latitude,t2m"
    assert lines[1] == "2019-03-01T00:00:00Z,10,40,"
    assert lines[2].startswith("2019-03-01T01:00:00Z,10,40,28")


def test_csv_quotes_what_needs_it(shapes, extracted) -> None:
    dataset = shapes["several_series"]().assign_coords(station=("point", ["plain", 'with "quotes"', "with, comma"]))
    found = pd.read_csv(io.BytesIO(Csv().encode(extracted(dataset))))
    assert set(found.station) == {"plain", 'with "quotes"', "with, comma"}


def test_csv_keeps_odd_calendars(shapes, extracted) -> None:
    assert b"2001-02-30T00:00:00Z" in Csv().encode(extracted(shapes["odd_calendar"]()))


def test_variables_with_other_axes_have_rows_of_their_own(shapes, extracted) -> None:
    made = table(extracted(shapes["ensemble_grid"]())).to_pandas()
    assert made.cover.notna().sum() == 20
    assert made[made.cover.notna()].t2m.isna().all()
