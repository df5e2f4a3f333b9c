"""The iSmart gateway: its answers in all their forms, its login that nothing shows, and how rarely it is requested."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from logger.commands.poll_once import poll_once
from logger.commands.status import view
from logger.envelope import Envelope
from logger.errors import ConfigError, LoginNeeded, Retry
from logger.live.overview import read_overview
from logger.settings import schema
from logger.settings.load import parse_settings
from logger.simulator.cloud.cloud import Request
from logger.simulator.cloud.failures import Reply
from logger.simulator.cloud.serving import CloudServer
from logger.sources import accounts
from logger.sources.contract import PollOutcome
from logger.sources.saic_gateway.charging import charging_values, wanted
from tests.conftest import SHARED
from tests.helpers.segway_pushes import decode_all
from tests.helpers.source_kits import account_of
from tests.logger.sources.saic_gateway.kit import CAR, KIT, PASSWORD, cloud

RECORDED = SHARED / "data" / "payloads" / "saic-gateway" / "exampleResponse.json"


class Gateway:
    """Answers every request with this text, and keeps the requests."""

    def __init__(self, text: str) -> None:
        self._text, self.requests = text, list[Request]()

    def answer(self, request: Request) -> Reply:
        self.requests.append(request)
        return Reply(200, self._text.encode(), {"Content-Type": "text/html"})


def request(gateway: Any, folder: Path) -> tuple[Envelope, PollOutcome]:
    async def ask(base_url: str) -> tuple[Envelope, PollOutcome]:
        (account,) = accounts(KIT.settings(folder, base_url)).values()
        found = account.cloud()
        assert found is not None
        async with httpx.AsyncClient() as http:
            return await found.request(http, "data", CAR)

    with CloudServer(gateway) as server:
        return asyncio.run(ask(server.base_url))


# ---- answers ---------------------------------------------------------------------------------------------------------


def test_user_and_password_travel_in_the_form_and_not_in_the_address(tmp_path: Path) -> None:
    gateway = Gateway('{"applicationData": {}, "body": {}}')
    request(gateway, tmp_path)
    (only,) = gateway.requests
    assert only.target == "/getData"
    assert PASSWORD in only.body.decode()


def test_the_login_that_a_document_passes_on_is_not_stored_and_all_else_is_as_it_came(tmp_path: Path) -> None:
    text = '{"applicationData": {},\n "body": {"token": "a\\"b", "uid" : "c", "vin":"V"}, "reserved":"d"}'
    envelope, _ = request(Gateway(text), tmp_path)
    cleaned = '{"applicationData": {},\n "body": {"token": null, "uid" : null, "vin":"V"}, "reserved":null}'
    assert envelope.body.decode() == cleaned


def test_no_data_yet_is_tried_again_when_the_car_may_be_requested(tmp_path: Path) -> None:
    with pytest.raises(Retry, match="no data of the car yet") as caught:
        request(Gateway("null"), tmp_path)
    assert caught.value.after == 600


def test_an_account_that_the_vendor_has_locked_needs_a_person_and_gives_the_vendors_reason(tmp_path: Path) -> None:
    words = {"result": 15033, "errorMessage": "bG9ja2VkCg=="}
    with pytest.raises(LoginNeeded, match=r"locked the account until tomorrow \('locked\\n'\)"):
        request(Gateway(json.dumps({"applicationData": None, "body": words})), tmp_path)


@pytest.mark.parametrize(
    ("text", "error", "why"),
    [
        ("No login post parameters set: user, password", LoginNeeded, "no user and password"),
        ("API error", Retry, "check base_url"),
    ],
)
def test_what_the_gateway_says_in_plain_text_is_understood(
    text: str, error: type[Exception], why: str, tmp_path: Path
) -> None:
    with pytest.raises(error, match=why):
        request(Gateway(text), tmp_path)


@pytest.mark.parametrize(
    ("document", "outcome"),
    [
        ({"applicationData": None, "body": {"result": 4, "errorMessage": 7}}, "unavailable"),
        ({"applicationData": {}, "body": None}, "unreadable"),
        ([], "unreadable"),
    ],
)
def test_a_document_without_data_is_kept_and_said_to_be_none(
    document: object, outcome: PollOutcome, tmp_path: Path
) -> None:
    envelope, found = request(Gateway(json.dumps(document)), tmp_path)
    assert (json.loads(envelope.body), found) == (document, outcome)


def test_two_cars_at_one_gateway_are_an_error(tmp_path: Path) -> None:
    (account,) = accounts(KIT.settings(tmp_path, vehicles=["A", "B"])).values()
    with pytest.raises(ConfigError, match="a gateway serves one car"):
        account.cloud()


def test_without_an_address_the_gateway_is_this_machines_add_on(tmp_path: Path) -> None:
    (account,) = accounts(KIT.settings(tmp_path, "")).values()
    assert account.cloud() is not None


# ---- the 12 V battery ------------------------------------------------------------------------------------------------


def test_a_person_may_poll_the_car_once_in_ten_minutes_and_reads_why(tmp_path: Path) -> None:
    simulated = cloud()
    with CloudServer(simulated) as server:
        settings = KIT.settings(tmp_path, server.base_url, poll={})
        lake = schema.LakeSettings(path=str(tmp_path / "lake"))
        settings = msgspec.structs.replace(settings, sinks=schema.Sinks(lake))
        results = [each for _ in range(2) for each in poll_once(settings)]
    assert [each.outcome for each in results] == ["ok", "failed"]
    assert "it may be every 600 s, for its 12 V battery" in results[1].reason
    assert simulated.calls["data", ""] == 1
    lines = [line for line in view(read_overview(settings)) if isinstance(line, str)]
    assert [line for line in lines if line.startswith(f"{CAR} sleeps") and "poll --once" in line]


def test_an_interval_that_is_too_short_is_an_error_that_names_it() -> None:
    text = '[[sources]]\nkind = "saic-gateway"\nname = "mg"\n[sources.poll]\nriding_s = 60\n'
    with pytest.raises(ConfigError, match=r"mg: poll.riding_s: 60 is too short .* write 600 or more, or 0"):
        parse_settings(text, Path("voltrail.toml"), {})


# ---- fields and steps ------------------------------------------------------------------------------------------------


def decoded(data: Mapping[str, object], status: Mapping[str, object], **models: Any) -> dict[str, Any]:
    """The values of all rows of a document with these members."""
    body = {"applicationData": {**data, "chargeStatus": status}, "body": {"eventCreationTime": 1_790_852_400}}
    account = account_of("saic-gateway") if not models else with_model(**models)
    message = Envelope("mg", "data", 1_790_852_500_000, "poll", json.dumps(body).encode(), CAR)
    rows = decode_all(message, sources={"mg": account}).rows
    return {key: value for each in rows.values() for key, value in each.to_dicts()[0].items() if value is not None}


def with_model(**keys: Any) -> Any:
    settings = KIT.settings(Path("nowhere"), model="MG4")
    settings = schema.Settings(settings.collector, sources=settings.sources, models={"MG4": schema.Model(**keys)})
    (account,) = accounts(settings).values()
    return account


@pytest.mark.parametrize(
    ("raw", "volts", "amperes", "watts"),
    [((1575, 20_000), 393.75, 0.0, 0.0), ((1649, 19_915), 412.25, 4.25, 1752.062)],
)
def test_voltage_current_and_power_have_the_right_scale_and_are_positive_into_the_battery(
    raw: tuple[int, int], volts: float, amperes: float, watts: float
) -> None:
    found = decoded({"bmsPackVol": raw[0], "bmsPackCrnt": raw[1]}, {})
    assert (found["voltage_v"], found["current_a"], found["power_w"]) == (volts, amperes, watts)


@pytest.mark.parametrize("code", range(1, 8))
def test_the_charge_limit_is_one_of_seven(code: int) -> None:
    limits = [40, 50, 60, 70, 80, 90, 100]
    assert decoded({"bmsOnBdChrgTrgtSOCDspCmd": code}, {})["charge_limit_pct"] == limits[code - 1]


def test_values_that_their_flag_calls_invalid_are_empty() -> None:
    flagged = {"bmsPackCrnt": 1, "bmsPackCrntV": 1, "chrgngRmnngTime": 5, "chrgngRmnngTimeV": 1, "bmsEstdElecRng": 2046}
    names = wanted("a", "b")
    values = charging_values(flagged, {}, names)
    assert [values[f"a.{name}"] for name in ("bmsPackCrnt", "chrgngRmnngTime", "bmsEstdElecRng")] == [None] * 3
    assert charging_values({**flagged, "bmsPackCrntV": 0}, {}, names)["a.bmsPackCrnt"] == 1


@pytest.mark.parametrize(
    ("tenths", "cluster_km", "range_m"),
    [(800, 99, 80_000), (0, 99, 99_000), (20_460, 99, 99_000), (None, 99, 99_000), (None, 2047, None)],
)
def test_the_range_is_the_batterys_else_the_clusters(tenths: int | None, cluster_km: int, range_m: int | None) -> None:
    assert decoded({"clstrElecRngToEPT": cluster_km}, {"fuelRangeElec": tenths, "mileage": 1}).get("range_m") == range_m


@pytest.mark.parametrize(("phase", "watts", "phases"), [(None, 2030.4, None), (1, 2030.4, 1), (3, 3516.756, 3)])
def test_the_chargers_power_is_that_of_its_phases(phase: int | None, watts: float, phases: int | None) -> None:
    data = {"onBdChrgrAltrCrntInptCrnt": 47, "onBdChrgrAltrCrntInptVol": 108}
    found = decoded(data, {"chargingElectricityPhase": phase})
    assert (found["charger_power_w"], found.get("charger_phases")) == (watts, phases)


@pytest.mark.parametrize(("on_board", "off_board", "kind"), [(1, 0, "ac"), (0, 1, "dc"), (0, 0, None), (None, 1, "dc")])
def test_the_plug_tells_the_kind_of_the_charger(on_board: int | None, off_board: int | None, kind: str | None) -> None:
    found = decoded({"ccuOnbdChrgrPlugOn": on_board, "ccuOffBdChrgrPlugOn": off_board, "bmsPackVol": 1600}, {})
    assert found.get("charger_kind") == kind


def test_the_energy_is_doubtful_but_where_the_settings_know_what_the_battery_holds() -> None:
    status = {"realtimePower": 362, "totalBatteryCapacity": 725}
    vague, known = decoded({}, status), decoded({}, status, capacity_wh=50_800)
    assert (vague["energy_wh"], "unit:energy_wh" in vague["flags"]) == (36_200, True)
    assert known["energy_wh"] == pytest.approx(25_365, abs=1)
    assert known["flags"] == ["unit:nominal_wh"]


@pytest.mark.parametrize("code", [1, 3, 10, 11, 12])
def test_a_car_that_charges_is_known_as_such_before_it_is_decoded(code: int) -> None:
    body = f'{{"bmsChrgSts" : {code}}}'.encode()
    account = account_of("saic-gateway")
    assert account.glance(Envelope("mg", "data", 0, "poll", body, CAR)).state == "charging"
    assert account.glance(Envelope("mg", "data", 0, "poll", b'{"bmsChrgSts":2}', CAR)).state == "parked"
    assert account.glance(Envelope("mg", "data", 0, "poll", b"{}", CAR)).state is None


# ---- a real car ------------------------------------------------------------------------------------------------------


def recorded() -> bytes:
    if not RECORDED.is_file():
        pytest.skip(f"no recordings: {RECORDED} is not there")
    return RECORDED.read_bytes()


def test_an_answer_of_a_real_car_decodes_to_what_it_said() -> None:
    body = recorded()
    vin = json.loads(body)["body"]["vin"]
    account = account_of("saic-gateway", unknown_vehicles="accept")
    message = Envelope("mg", "data", 1_669_552_600_000, "poll", body, vin)
    rows = decode_all(message, sources={"mg": account}).rows
    ((status,), (battery,)) = rows["status"].to_dicts(), rows["battery"].to_dicts()
    assert str(status["time"]) == "2022-11-27 12:35:49+00:00"
    columns: Sequence[str] = (
        "soc_pct",
        "odometer_m",
        "range_m",
        "range_at_limit_m",
        "charge_limit_pct",
        "charge_left_s",
    )
    assert [status[name] for name in columns] == [31.8, 1_932_000, 80_000, 284_000, 100, None]
    assert (status["charging"], status["charge_state"], status["plugged"]) == (False, "unplugged", False)
    columns = ("voltage_v", "current_a", "power_w", "energy_wh", "nominal_wh")
    assert [battery[name] for name in columns] == [393.75, 0, 0, 23_100, 72_500]
    columns = ("last_charge_wh", "used_since_charge_wh", "driven_since_charge_m", "charger_power_w")
    assert [battery[name] for name in columns] == [27_100, 4_100, 9_000, None]


def test_an_answer_that_the_gateway_repeats_for_months_is_one_row() -> None:
    body, day_ms = recorded(), 86_400_000
    vin = json.loads(body)["body"]["vin"]
    account = account_of("saic-gateway", unknown_vehicles="accept")
    messages = [Envelope("mg", "data", 1_669_552_600_000 + n * day_ms, "poll", body, vin) for n in range(90)]
    rows = decode_all(*messages, sources={"mg": account}).rows["status"]
    assert rows.select("vehicle", "time").n_unique() == 1
