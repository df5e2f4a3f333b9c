"""Durable pushes a second, compared in turn with the same server's empty handler, FastAPI and granian."""

from contextlib import ExitStack
from pathlib import Path

from tests.benchmarks.figures import Figure, pairs
from tests.benchmarks.load import Job, JobResult, load
from tests.benchmarks.servers import other, receiver

DURABLE = "durable pushes"
_ROUNDS = 15
_PUSHES = 20_000
_PUSHES_TO_FASTAPI = 3_000  # it is slow: this number is enough
_WARM_UP = 5_000


def figures(folder: Path) -> list[Figure]:
    """Run all sides at once and send to them one after the other, round by round."""
    with ExitStack() as stack, load(_PUSHES) as sender:
        ports = {"durable": stack.enter_context(receiver(folder / "durable")).port}
        for side in ("empty", "fastapi", "granian-empty", "granian-durable"):
            ports[side] = stack.enter_context(other(side, folder / side)).port
        for port in ports.values():
            sender.send(Job(port, _WARM_UP))
        rounds = [{side: sender.send(job) for side, job in _jobs(ports).items()} for _ in range(_ROUNDS)]
    return _figures(rounds)


def _jobs(ports: dict[str, int]) -> dict[str, Job]:
    jobs = {side: Job(port, _PUSHES) for side, port in ports.items()}
    jobs["fastapi"] = Job(ports["fastapi"], _PUSHES_TO_FASTAPI)
    wide = {f"{side}, wide": Job(ports[side], _PUSHES, connections=128) for side in ("durable", "empty")}
    return jobs | wide


def _figures(rounds: list[dict[str, JobResult]]) -> list[Figure]:
    rate = {side: [each[side].per_second for each in rounds] for side in rounds[0]}
    busiest = max(result.cpu for results in rounds for result in results.values())
    return [
        Figure(DURABLE, rate["durable"], "/s"),
        Figure("empty handler, same server (uvicorn)", rate["empty"], "/s"),
        Figure("FastAPI, a commit a request", rate["fastapi"], "/s"),
        Figure("durable ÷ empty", pairs(rate["durable"], rate["empty"]), bar=0.55, aim=0.7),
        Figure("durable ÷ empty, 128 connections for 64", pairs(rate["durable, wide"], rate["empty, wide"])),
        Figure("durable ÷ FastAPI", pairs(rate["durable"], rate["fastapi"]), bar=5),
        Figure("granian: empty ÷ uvicorn's", pairs(rate["granian-empty"], rate["empty"])),
        Figure("granian: durable ÷ uvicorn's", pairs(rate["granian-durable"], rate["durable"])),
        Figure("the sender's share of a core, at most", [busiest], better="less", bar=0.9),
    ]
