"""HOOK over plain HTTP, as its users' notebooks speak it; delivery into a store that moto plays."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
import requests
from moto.server import ThreadedMotoServer

from clients.conftest import RunClient, Served, serve
from site_files import write_netcdf

ACCESS, SECRET, PASSWORD = "AKIAHOOKTESTKEY00001", "hook/Secret+Key/never/written/0002", "desp-password-0003"
DAYS = ("day1", "day2", "day3")

ORDER = """
import requests, time
def order(name, items, storage, **more):
    options = [
        {"Name": "output_storage", "Value": storage},
        {"Name": "source_type", "Value": "DESP"},
        {"Name": "desp_source_collection", "Value": "days"},
        {"Name": "desp_source_username", "Value": "someone"},
        {"Name": "desp_source_password", "Value": password},
    ] + [{"Name": option, "Value": value} for option, value in more.items()]
    body = {"Name": name, "WorkflowName": "data-harvest", "IdentifierList": items, "WorkflowOptions": options}
    return requests.post(url + "BatchOrder/OData.CSC.Order", json.dumps(body), headers=headers)
def wait(number):
    for _ in range(300):
        products = requests.get(url + "BatchOrder(" + str(number) + ")/Products", headers=headers).json()["value"]
        if all(one["Status"] in ("completed", "failed") for one in products):
            return products
        assert {one["Status"] for one in products} <= {"queued", "in_progress", "completed", "failed"}
        time.sleep(0.2)
    raise SystemExit("too slow")
"""


@pytest.fixture(scope="module")
def store() -> Iterator[str]:
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(scope="module")
def hook(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("hook")
    for number, day in enumerate(DAYS, 1):
        write_netcdf(folder / f"{day}.nc", start=f"2024-01-0{number}", offset=number)
    home = folder / "home"
    files = [str(folder / f"{day}.nc") for day in DAYS]
    command = [sys.executable, "-m", "terrella", "add", "--home", str(home), "--collection", "days", *files]
    subprocess.run(command, check=True, capture_output=True)
    yield from serve(home, folder / "server.log", TERRELLA_ORDERS__ALLOW_PRIVATE="true")


def about(hook: Served) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {hook.key}"}
    return {"url": f"{hook.url}/odata/v1/", "headers": headers, "password": PASSWORD}


def digests(hook: Served) -> dict[str, str]:
    return {day: hashlib.sha256((hook.home.parent / f"{day}.nc").read_bytes()).hexdigest() for day in DAYS}


def test_workflows_are_listed_and_their_options_expanded(hook: Served, run_client: RunClient) -> None:
    lines = """
import requests
plain = requests.get(url + "Workflows?$orderby=Id asc", headers=headers).json()
one = requests.get(url + "Workflows?$expand=WorkflowOptions&$filter=(Name eq 'data-harvest')", headers=headers).json()
none = requests.get(url + "Workflows?$filter=Name+eq+'maja'", headers=headers).json()
print(json.dumps([plain, one, none]))
"""
    plain, one, none = run_client(lines, **about(hook))
    assert [row["Name"] for row in plain["value"]] == ["data-harvest"]
    assert "WorkflowOptions" not in plain["value"][0]
    names = {option["Name"] for option in one["value"][0]["WorkflowOptions"]}
    assert {"source_type", "desp_source_collection", "output_storage", "output_s3_secret_key"} <= names
    assert none["value"] == []


def test_a_temporary_order_is_followed_and_downloaded(hook: Served, run_client: RunClient, tmp_path: Path) -> None:
    lines = """
answer = order("My first", ["day2", "day3.SAFE"], "TEMPORARY")
assert answer.status_code == 201, answer.text
number = answer.json()["value"]["Id"]
products = wait(number)
found = requests.get(url + "ProductionOrders", {"$filter": f"id eq {number}"}, headers=headers).json()["value"]
for one in products:
    open(one["Name"] + ".nc", "wb").write(requests.get(one["DownloadLink"]).content)
direct = requests.get(url + f"BatchOrder({number})/Product(1)", headers=headers)
print(json.dumps([number, products, found, len(direct.content), direct.headers["Content-Disposition"]]))
"""
    number, products, found, length, disposition = run_client(ORDER + lines, **about(hook))
    assert isinstance(number, int)
    assert [one["Name"] for one in products] == ["day2", "day3"]
    assert {one["Status"] for one in products} == {"completed"}
    for one in products:
        digest = digests(hook)[one["Name"]]
        assert one["Checksum"] == [{"Algorithm": "SHA256", "Value": digest}]
        assert hashlib.sha256((tmp_path / f"{one['Name']}.nc").read_bytes()).hexdigest() == digest
    assert [(one["Id"], one["Name"], one["Status"]) for one in found] == [(number, "My first", "completed")]
    assert length == products[0]["ContentLength"]
    assert "day2.nc" in disposition


def test_a_private_order_lands_in_the_store_and_leaves_no_secret(
    hook: Served, run_client: RunClient, store: str
) -> None:
    s3 = boto3.client(
        "s3", endpoint_url=store, aws_access_key_id="a", aws_secret_access_key="b", region_name="us-east-1"
    )
    s3.create_bucket(Bucket="mine")
    lines = """
answer = order("Private", ["day1", "day3"], "PRIVATE", output_s3_path="s3://mine/from/hook",
    output_s3_access_key=access, output_s3_secret_key=secret, output_s3_endpoint_url=store)
assert answer.status_code == 201, answer.text
number = answer.json()["value"]["Id"]
print(json.dumps([answer.text, wait(number), requests.get(url + f"ProductionOrders({number})", headers=headers).text]))
"""
    placed, products, shown = run_client(ORDER + lines, **about(hook), access=ACCESS, secret=SECRET, store=store)
    for one in products:
        assert one["Status"] == "completed", one
        assert one["DownloadLink"] == f"s3://mine/from/hook/{one['Name']}.nc"
        content = s3.get_object(Bucket="mine", Key=f"from/hook/{one['Name']}.nc")["Body"].read()
        assert hashlib.sha256(content).hexdigest() == digests(hook)[one["Name"]]
    options = {one["Name"]: one["Value"] for one in json.loads(shown)["WorkflowOptions"]}
    assert options["output_s3_secret_key"] == "********"
    assert "desp_source_password" not in options
    for text in (placed, shown, json.dumps(products)):
        assert SECRET not in text
    check_no_secret(hook)


def check_no_secret(hook: Served) -> None:
    """In no file of the home and no line of the log, plain or in JSON's spelling."""
    told = [text.encode() for text in (ACCESS, SECRET, PASSWORD, SECRET.replace("/", "\\/"))]
    looked = 0
    for path in (hook.log, *(path for path in hook.home.rglob("*") if path.is_file())):
        content = path.read_bytes()
        looked += 1
        assert not any(secret in content for secret in told), path
    assert looked > 5
    deadline = 50
    while (left := list((hook.home / "sealed").iterdir())) and deadline:  # forgotten a moment after the end
        deadline -= 1
        subprocess.run(["sleep", "0.1"], check=True)
    assert not left


@pytest.mark.parametrize(
    ("change", "status", "word"),
    [
        ({"WorkflowName": "card_bs"}, 501, "card_bs"),
        ({"WorkflowName": "nonsense"}, 400, "nonsense"),
        ({"IdentifierList": []}, 400, "IdentifierList"),
        ({"IdentifierList": ["day9"]}, 404, "day9"),
        ({"option": {"Name": "output_storage", "Value": "SHELF"}}, 400, "SHELF"),
        ({"option": {"Name": "source_type", "Value": "EXTERNAL"}}, 501, "DESP"),
        ({"option": {"Name": "desp_source_collection", "Value": "dais"}}, 404, "days"),
        ({"option": {"Name": "output_storge", "Value": "x"}}, 400, "output_storage"),
        ({"option": {"Name": "output_storage", "Value": "PRIVATE"}}, 400, "s3://"),
    ],
)
def test_wrong_orders_say_what_is_wrong(hook: Served, change: dict[str, Any], status: int, word: str) -> None:
    options = [{"Name": "desp_source_collection", "Value": "days"}, *([change["option"]] if "option" in change else [])]
    body = {"Name": "x", "WorkflowName": "data-harvest", "IdentifierList": ["day1"], "WorkflowOptions": options}
    body |= {name: value for name, value in change.items() if name != "option"}
    answer = requests.post(
        f"{hook.url}/odata/v1/BatchOrder/OData.CSC.Order", json=body, headers=about(hook)["headers"], timeout=30
    )
    assert answer.status_code == status, answer.text
    assert word in answer.json()["error"]["message"]


def test_orders_are_the_orderers_own(hook: Served) -> None:
    base = f"{hook.url}/odata/v1"
    body = {
        "WorkflowName": "data-harvest",
        "IdentifierList": ["day1"],
        "WorkflowOptions": [{"Name": "desp_source_collection", "Value": "days"}],
    }
    mine = requests.post(
        f"{base}/BatchOrder/OData.CSC.Order", json=body, headers=about(hook)["headers"], timeout=30
    ).json()["value"]["Id"]
    for path in (f"BatchOrder({mine})/Products", f"ProductionOrders({mine})", f"BatchOrder({mine})/Product(1)"):
        assert requests.get(f"{base}/{path}", timeout=30).status_code == 404
    assert requests.get(f"{base}/ProductionOrders", {"$filter": f"Id eq {mine}"}, timeout=30).json()["value"] == []
    wrong = requests.get(f"{base}/Workflows", headers={"Authorization": "Bearer tk_wrong"}, timeout=30)
    assert wrong.status_code == 401
    assert "error" in wrong.json()
    for query in ("$filter=Nam eq 1", "$top=x", "$orderby=Id sideways", "$nothing=1"):
        assert requests.get(f"{base}/Workflows?{query}", timeout=30).status_code == 400, query
