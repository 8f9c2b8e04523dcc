"""The sub-commands and what they say of themselves. Imports nothing heavy: `--help` must be quick.

Exit status: 0 done, 1 something failed and was named, 2 wrong usage.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from terrella.cli import identity

app = typer.Typer(
    name="terrella",
    help="Destination Earth that you can install: one catalogue over your Earth data, cut-outs instead of downloads.",
    epilog="Start: terrella up --demo. Then: terrella add FOLDER, terrella list, terrella extract ID --point 13.4,52.5",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Home = Annotated[
    Path,
    typer.Option("--home", envvar="TERRELLA_HOME", help="Folder of the site: its terrella.toml, database and objects."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]
Collection = Annotated[
    str, typer.Argument(help="Id of a collection; `terrella list` shows them.", metavar="COLLECTION")
]

HOME = Path("~/.terrella")


@app.command()
def up(
    home: Home = HOME,
    host: Annotated[str | None, typer.Option(help="Address to listen on [default: 127.0.0.1].")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on; 0 for any free one [default: 8700].")] = None,
    demo: Annotated[
        bool, typer.Option("--demo", help="First add the demo data that installed packages carry.")
    ] = False,
) -> None:
    """Serve the site: STAC under /stac, OGC API EDR under /ogc, pages at /. Creates it on first use. Ctrl-C stops."""
    from terrella.cli.serving import up as run

    run(home, host, port, demo=demo)


@app.command()
def add(
    paths: Annotated[
        list[str], typer.Argument(help="Files, folders, globs, https:// or s3:// addresses.", metavar="PATH...")
    ],
    home: Home = HOME,
    collection: Annotated[str | None, typer.Option(help="Put everything into this collection.")] = None,
    title: Annotated[str, typer.Option(help="Title of the collection.")] = "",
    description: Annotated[str, typer.Option(help="One sentence about the collection.")] = "",
    licence: Annotated[str, typer.Option("--license", help="SPDX identifier, e.g. CC-BY-4.0.")] = "",
    attribution: Annotated[str, typer.Option(help="How the data want to be credited.")] = "",
    citation: Annotated[str, typer.Option(help="How the data want to be cited, as a text.")] = "",
    doi: Annotated[str, typer.Option(help="DOI of the data, e.g. 10.24381/cds.adbb2d47.")] = "",
    grid: Annotated[
        str, typer.Option(help='Of images: the grid on which they are answered, e.g. "crs=EPSG:3035;resolution=20".')
    ] = "",
    copy: Annotated[
        bool, typer.Option("--copy", help="Copy files into the site; otherwise they stay where they lie.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would become of the files; change nothing.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Add data: files that form one cube become one collection. Unchanged files are passed over, changed ones renewed.

    Read are NetCDF, HDF5, GRIB, GeoTIFF, JPEG 2000, Zarr, Icechunk, Sentinel-2 SAFE, STAC documents, point tables
    and files of named regions (GeoJSON, GeoParquet, zipped shapefiles).
    """
    from terrella.catalog.describing import Wishes
    from terrella.cli.adding import add as run
    from terrella.model.stated import parse_stated

    stated = parse_stated(grid) if grid else None
    wishes = Wishes(title, description, licence, attribution, citation, doi, grid=stated)
    run(home, paths, collection, wishes, copy=copy, dry_run=dry_run, as_json=as_json)


@app.command("list")
def list_collections(home: Home = HOME, as_json: AsJson = False) -> None:
    """List the collections: what, where, when, how many items."""
    from terrella.cli.showing import list_collections as run

    run(home, as_json=as_json)


@app.command()
def show(
    collection: Collection,
    item: Annotated[str | None, typer.Argument(help="Id of one of its items.", metavar="[ITEM]")] = None,
    home: Home = HOME,
    as_json: AsJson = False,
) -> None:
    """Show a collection, its cube and items; or one item."""
    from terrella.cli.showing import show as run

    run(home, collection, item, as_json=as_json)


@app.command()
def remove(
    collection: Collection,
    items: Annotated[list[str] | None, typer.Argument(help="Only these items.", metavar="[ITEM]...")] = None,
    home: Home = HOME,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Take a collection, or items of it, out of the catalogue. The files themselves stay."""
    from terrella.cli.showing import remove as run

    run(home, collection, items or [], yes=yes)


@app.command()
def search(
    text: Annotated[list[str] | None, typer.Argument(help="Words to look for.", metavar="[WORD]...")] = None,
    home: Home = HOME,
    collection: Annotated[
        list[str] | None, typer.Option("--collection", "-c", help="Only in this collection; repeatable.")
    ] = None,
    bbox: Annotated[str | None, typer.Option(help="west,south,east,north in degrees.")] = None,
    time: Annotated[str | None, typer.Option(help="Instant or start/end; .. is open: 2019-03-01/..")] = None,
    query: Annotated[str | None, typer.Option("--filter", help='CQL2 text, e.g. "eo:cloud_cover < 10".')] = None,
    limit: Annotated[int, typer.Option(min=1, help="Most items to show.")] = 20,
    as_json: AsJson = False,
) -> None:
    """Find items by words, place, time and properties; newest first."""
    from terrella.cli.searching import search as run

    run(home, text or [], collection or [], bbox, time, query, limit, as_json=as_json)


@app.command()
def extract(
    collection: Collection,
    home: Home = HOME,
    variable: Annotated[
        list[str] | None, typer.Option("--variable", "-v", help="Name, e.g. 2t, 167 or air_temperature; repeatable.")
    ] = None,
    point: Annotated[str | None, typer.Option(help="lon,lat: the nearest cell.")] = None,
    bbox: Annotated[str | None, typer.Option(help="west,south,east,north.")] = None,
    polygon: Annotated[str | None, typer.Option(help="GeoJSON file, GeoJSON or WKT.")] = None,
    circle: Annotated[str | None, typer.Option(help="lon,lat,radius in km.")] = None,
    region: Annotated[
        str | None, typer.Option(help="A country by name or ISO number, or COLLECTION:NAME: France, nuts:FR10.")
    ] = None,
    cell: Annotated[
        str | None,
        typer.Option(help="A cell as SYSTEM:ID: mgrs:33UUU, h3:831f1dfffffffff, geohash:u33d, tile:10/550/335."),
    ] = None,
    frame: Annotated[
        str | None, typer.Option(help="west,south,east,north of a box, then of the box inside that is left out.")
    ] = None,
    line: Annotated[
        str | None,
        typer.Option(
            help="A way: GeoJSON file, GeoJSON or WKT LINESTRING, with Z for levels, M for seconds since 1970."
        ),
    ] = None,
    width: Annotated[str | None, typer.Option(help="With --line: all within so many km across it.")] = None,
    height: Annotated[
        str | None, typer.Option(help="With --width and a line with Z: levels within so much, in their units.")
    ] = None,
    cells: Annotated[
        str | None,
        typer.Option(help="How cells are chosen: nearest, bilinear or idw:K; for areas centre, touched, overlap."),
    ] = None,
    reduce: Annotated[
        list[str] | None,
        typer.Option(
            help="HOW:OVER[:EVERY], e.g. mean:space, max:time:month, quantile(0.9):number; repeatable, in order."
        ),
    ] = None,
    time: Annotated[str | None, typer.Option(help="Instant or start/end; .. is open.")] = None,
    level: Annotated[str | None, typer.Option(help="One value, several a,b,c or a range low/high.")] = None,
    select: Annotated[list[str] | None, typer.Option(help="Other axes: number=0,1,2 or step=6; repeatable.")] = None,
    crs: Annotated[
        str | None, typer.Option(help="Of images: reference system of the grid to answer on, e.g. EPSG:3035 or utm.")
    ] = None,
    resolution: Annotated[
        str | None, typer.Option(help="Of images: size of its cells, or x,y, in units of the reference system.")
    ] = None,
    anchor: Annotated[str | None, typer.Option(help="Of images: x,y of a corner of one of its cells.")] = None,
    resampling: Annotated[
        str | None, typer.Option(help="Of images: nearest, bilinear, cubic, average or mode.")
    ] = None,
    group: Annotated[
        str | None, typer.Option(help="Of images: solar_day (one time for an overpass) or time (each its own).")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="File to write: .nc .csv .parquet .covjson .geojson .tif")
    ] = None,
    estimate: Annotated[bool, typer.Option("--estimate", help="Only say what it would read.")] = False,
    as_job: Annotated[
        bool, typer.Option("--job", help="Let a worker do it, however long it takes: see terrella job.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Cut values out of a collection's cube: a point, box, polygon or circle, over time, levels and members.

    Without --output, a table or a sparkline is printed.
    """
    from terrella.cli.extracting import extract as run

    asked = {
        "variables": variable or [],
        "point": point,
        "bbox": bbox,
        "polygon": polygon,
        "circle": circle,
        "region": region,
        "cell": cell,
        "frame": frame,
        "line": line,
        "width": width,
        "height": height,
        "cells": cells,
        "reduce": reduce or [],
        "time": time,
        "level": level,
        "select": select or [],
        "crs": crs,
        "resolution": resolution,
        "anchor": anchor,
        "resampling": resampling,
        "group": group,
    }
    run(home, collection, asked, output, estimate=estimate, as_job=as_job, as_json=as_json)


@app.command()
def optimise(
    collection: Collection,
    home: Home = HOME,
    purpose: Annotated[str, typer.Option("--for", help="series, maps or both.")] = "both",
    max_error: Annotated[
        list[str] | None,
        typer.Option(
            "--max-error", help="VARIABLE=VALUE or VARIABLE=PERCENT%, e.g. 2t=0.05; repeatable. Else lossless."
        ),
    ] = None,
    variable: Annotated[list[str] | None, typer.Option("--variable", "-v", help="Only these; repeatable.")] = None,
    as_json: AsJson = False,
) -> None:
    """Write a collection's cube again, laid out for series and for maps, with a bounded error where you allow one.

    Readers then take the layout that reads fewest bytes. Ctrl-C keeps what is written; run it again to go on.
    """
    from terrella.cli.optimising import optimise as run

    run(home, collection, purpose, max_error or [], variable or [], as_json=as_json)


@app.command()
def order(
    collection: Collection,
    items: Annotated[list[str] | None, typer.Argument(help="Only these items.", metavar="[ITEM]...")] = None,
    home: Home = HOME,
    bbox: Annotated[str | None, typer.Option(help="Items in, or cut-out of: west,south,east,north.")] = None,
    time: Annotated[str | None, typer.Option(help="Instant or start/end; .. is open.")] = None,
    asset: Annotated[list[str] | None, typer.Option("--asset", help="Only assets of this name; repeatable.")] = None,
    fmt: Annotated[
        str | None, typer.Option("--format", help="Cut out of the cube and write this format, e.g. netcdf.")
    ] = None,
    variable: Annotated[list[str] | None, typer.Option("--variable", "-v", help="Of the cut-out; repeatable.")] = None,
    package: Annotated[str, typer.Option(help="zip (one archive) or each (a file for each item).")] = "zip",
    to: Annotated[
        str,
        typer.Option(
            help="A local folder; link or folder (kept by the site); or s3://BUCKET/FOLDER with the AWS_ variables."
        ),
    ] = "link",
    estimate: Annotated[bool, typer.Option("--estimate", help="Only say how many files and bytes it is.")] = False,
    as_job: Annotated[bool, typer.Option("--job", help="Let a worker do it: see terrella job.")] = False,
    as_json: AsJson = False,
) -> None:
    """Order whole products: files as they are, packed with checksums and licence, brought where you want them."""
    from terrella.cli.ordering import order as run

    asked = {
        "items": items or [],
        "bbox": bbox,
        "time": time,
        "assets": asset or [],
        "format": fmt,
        "variables": variable or [],
        "package": package,
    }
    run(home, collection, asked, to, estimate=estimate, as_job=as_job, as_json=as_json)


@app.command()
def harvest(
    source: Annotated[
        str | None,
        typer.Argument(
            help="Address of a STAC API or catalogue; a folder or s3:// prefix of files.", metavar="[SOURCE]"
        ),
    ] = None,
    home: Home = HOME,
    collection: Annotated[
        list[str] | None, typer.Option("--collection", "-c", help="Only this collection of the source; repeatable.")
    ] = None,
    into: Annotated[
        str | None, typer.Option(help="Put items into this collection [default: as it is called there].")
    ] = None,
    copy: Annotated[bool, typer.Option("--copy", help="Copy the assets too, not only what is known of them.")] = False,
    asset: Annotated[
        list[str] | None, typer.Option("--asset", help="Copy only assets of this name; repeatable.")
    ] = None,
    full: Annotated[
        bool, typer.Option("--full", help="Look at everything, also where the source can say what is new.")
    ] = False,
    schedule: Annotated[
        str | None, typer.Option(help="Do it again and again, in words of cron (UTC): '0 * * * *' or @hourly.")
    ] = None,
    listed: Annotated[bool, typer.Option("--list", help="List the schedules.")] = False,
    stop: Annotated[str | None, typer.Option(help="End the schedule of this name.")] = None,
    as_job: Annotated[bool, typer.Option("--job", help="Let a worker do it: see terrella job.")] = False,
    as_json: AsJson = False,
) -> None:
    """Copy new items of others into the site: of a STAC API, a static catalogue, another site, or a watched folder.

    Only what is new or changed is written; what was stopped goes on where it stood.
    """
    from terrella.cli import harvesting

    if listed:
        harvesting.list_schedules(home, as_json=as_json)
    elif stop is not None:
        harvesting.stop(home, stop)
    else:
        asked = {
            "source": source,
            "collections": collection or [],
            "into": into,
            "copy": copy,
            "assets": asset or [],
            "full": full,
        }
        harvesting.harvest(home, asked, schedule, as_job=as_job, as_json=as_json)


jobs_app = typer.Typer(name="job", help="See, follow, cancel and repeat jobs.", no_args_is_help=True)
app.add_typer(jobs_app)
JobId = Annotated[str, typer.Argument(help="Id of a job; `terrella job list` shows them.", metavar="JOB")]
JobIds = Annotated[list[str], typer.Argument(help="Ids of jobs.", metavar="JOB...")]


@jobs_app.command("list")
def list_jobs(
    home: Home = HOME,
    state: Annotated[
        str | None, typer.Option(help="Only accepted, running, successful, failed or dismissed ones.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="Most jobs to show.")] = 20,
    as_json: AsJson = False,
) -> None:
    """List jobs, newest first."""
    from terrella.cli.jobs import list_jobs as run

    run(home, state, limit, as_json=as_json)


@jobs_app.command("show")
def show_job(job: JobId, home: Home = HOME, as_json: AsJson = False) -> None:
    """Show one job: how far it is, why it failed, where its files lie."""
    from terrella.cli.jobs import show as run

    run(home, job, as_json=as_json)


@jobs_app.command("logs")
def job_logs(
    job: JobId,
    home: Home = HOME,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until the job has ended.")] = False,
    as_json: AsJson = False,
) -> None:
    """Print what a job said."""
    from terrella.cli.jobs import logs as run

    run(home, job, follow=follow, as_json=as_json)


@jobs_app.command("cancel")
def cancel_jobs(jobs: JobIds, home: Home = HOME) -> None:
    """Cancel jobs that have not ended."""
    from terrella.cli.jobs import cancel as run

    run(home, jobs)


@jobs_app.command("retry")
def retry_jobs(jobs: JobIds, home: Home = HOME) -> None:
    """Put failed or cancelled jobs back into the queue; what their finished steps gave is kept."""
    from terrella.cli.jobs import retry as run

    run(home, jobs)


@jobs_app.command("wait")
def wait_for_job(
    job: JobId,
    home: Home = HOME,
    seconds: Annotated[float | None, typer.Option(min=0, help="Longest wait; without it, until the end.")] = None,
    as_json: AsJson = False,
) -> None:
    """Wait until a job has ended, with a progress bar. Exit status 1 unless it was successful."""
    from terrella.cli.jobs import wait as run

    run(home, job, seconds, as_json=as_json)


schedules_app = typer.Typer(name="schedule", help="Jobs that start by themselves.", no_args_is_help=True)
jobs_app.add_typer(schedules_app)


@schedules_app.command("list")
def list_schedules(home: Home = HOME, as_json: AsJson = False) -> None:
    """List what starts by itself, and when."""
    from terrella.cli.schedules import list_schedules as run

    run(home, as_json=as_json)


@schedules_app.command("add")
def add_schedule(
    name: Annotated[str, typer.Argument(help="What it is called; one of that name is replaced.", metavar="NAME")],
    kind: Annotated[str, typer.Argument(help="Kind of the jobs, e.g. optimise.", metavar="KIND")],
    home: Home = HOME,
    inputs: Annotated[str, typer.Option(help="Inputs of the jobs as JSON, or @FILE.")] = "{}",
    cron: Annotated[
        str | None, typer.Option(help="minute hour day month weekday in UTC, or @hourly, @daily, @weekly, @monthly.")
    ] = None,
    on: Annotated[
        str | None, typer.Option("--on", help="An event, items-added; the job's input `event` says of what.")
    ] = None,
    title: Annotated[str, typer.Option(help="Title of the jobs.")] = "",
) -> None:
    """Start a job again and again: at times (--cron), or when something happened (--on)."""
    from terrella.cli.schedules import add as run

    run(home, name, kind, inputs, cron, on, title)


@schedules_app.command("remove")
def remove_schedules(
    names: Annotated[list[str], typer.Argument(help="Names; `terrella job schedule list` shows them.")],
    home: Home = HOME,
) -> None:
    """Start no more such jobs; those that were started stay."""
    from terrella.cli.schedules import remove as run

    run(home, names)


@app.command()
def worker(
    home: Home = HOME,
    processes: Annotated[int, typer.Option(min=1, max=64, help="Worker processes; each does one job at a time.")] = 1,
    parent: Annotated[int, typer.Option("--parent", hidden=True, help="End with this process.")] = 0,
) -> None:
    """Do jobs of the site until Ctrl-C. `terrella up` starts one worker by itself (setting jobs.workers)."""
    from terrella.cli.worker import work

    work(home, processes, parent=parent)


@app.command()
def connect(
    client: Annotated[
        str | None, typer.Argument(help="Only this client, e.g. polytope-client or xarray.", metavar="[CLIENT]")
    ] = None,
    home: Home = HOME,
    url: Annotated[
        str | None, typer.Option(help="Address of a running site [default: that of --home, by its settings].")
    ] = None,
    key: Annotated[
        str | None, typer.Option(help="Your key, to have it in the lines [default: TERRELLA_KEY].", metavar="KEY")
    ] = None,
    collection: Annotated[
        str | None, typer.Option("--collection", "-c", help="Make the examples of this collection.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Print the lines that get at a site with the clients you have: Polytope, eodag, cdsapi, xarray and others.

    Each is complete in itself, with an example that works on the site's data.
    """
    from terrella.cli.connecting import connect as run

    run(home, url, key, client, collection, as_json=as_json)


@app.command()
def settings(home: Home = HOME, as_json: AsJson = False) -> None:
    """Print the settings in force, and what each means."""
    from terrella.cli.showing import settings as run

    run(home, as_json=as_json)


identity.add_to(app)


def main() -> None:
    """Run the command line; errors that have a name are printed without a trace."""
    from terrella.errors import Invalid, TerrellaError

    try:
        app()
    except Invalid as error:
        typer.echo(f"terrella: {error.message}", err=True)
        sys.exit(2)
    except TerrellaError as error:
        typer.echo(f"terrella: {error.message}", err=True)
        sys.exit(1)
    except SystemExit as end:
        if end.code == 130:  # typer's word for Ctrl-C
            typer.echo("terrella: stopped. What was done is kept; run it again to go on.", err=True)
        raise
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(1)
