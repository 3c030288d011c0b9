"""Trials of tun-mcp as tasks of Inspect AI, one for each scenario.

    inspect eval tun_mcp.py@ping --model MODEL -T count=3
    inspect eval tun_mcp.py --model MODEL -T count=3 -T seeds=5

Each sample starts a trial, which is the MCP server of the agent and writes a report
when it is over. The score is the reward in that report. TUN_MCP names the program,
if it is not tun-mcp on PATH.
"""

import json
import os
import subprocess
import tempfile
from pathlib import Path

from inspect_ai import Task, task
from inspect_ai.agent import as_solver, react
from inspect_ai.dataset import Sample
from inspect_ai.scorer import Score, Scorer, Target, mean, scorer, stderr
from inspect_ai.solver import Generate, Solver, TaskState, solver
from inspect_ai.tool import mcp_server_stdio

PROGRAM = os.environ.get("TUN_MCP", "tun-mcp")

# Inspect shows the model neither the server's instructions nor its resources.
ADDRESSES = "\nYou are 10.77.0.2 and 2001:db8:77::2, and the other end is 10.77.0.1 and 2001:db8:77::1.\n"


@solver
def host() -> Solver:
    """Lets the model play the trial of the sample, and keeps what the report says."""

    async def solve(state: TaskState, generate: Generate) -> TaskState:
        with tempfile.TemporaryDirectory(prefix="tun-mcp-") as folder:
            report = Path(folder) / "report.json"
            server = mcp_server_stdio(command=PROGRAM, args=[*state.metadata["trial"], "--json", str(report)])
            try:
                return await as_solver(react(prompt=None, tools=[server], submit=False))(state, generate)
            finally:  # also when a limit of Inspect ends the sample
                if report.exists():
                    found = json.loads(report.read_text())
                    state.store.set("report", {key: found.get(key) for key in ("reward", "total", "cut")})

    return solve


@scorer(metrics=[mean(), stderr()])
def reward() -> Scorer:
    """Scores a sample with the reward of its trial, 0 to 1."""

    async def score(state: TaskState, target: Target) -> Score:
        report = state.store.get("report", None)
        if report is None:
            return Score(value=0.0, explanation="There is no report: the agent never called the trial's server.")
        total = report["total"]
        return Score(
            value=report["reward"],
            answer=f"{total['right']} of {total['sent']} right",
            explanation=report["cut"] or "The trial ran to its end.",
            metadata={"total": total},
        )

    return score


def trial(scenario: str, count: int, assist: str, seeds: int) -> Task:
    """Makes the task of a scenario, with a sample for each seed."""
    flags = ["trial", scenario, "--agent", "served", "--network", "memory", "--count", str(count), "--assist", assist]
    told = subprocess.run([PROGRAM, *flags, "--print-prompt"], check=True, capture_output=True, text=True).stdout
    return Task(
        dataset=[
            Sample(input=told + ADDRESSES, id=f"{scenario}-{seed}", metadata={"trial": [*flags, "--seed", str(seed)]})
            for seed in range(1, seeds + 1)
        ],
        solver=host(),
        scorer=reward(),
    )


# Inspect finds the tasks of a file by their decorators, so each is written out.


@task
def ping(count: int = 10, assist: str = "fix", seeds: int = 1) -> Task:
    return trial("ping", count, assist, seeds)


@task
def load(count: int = 10, assist: str = "fix", seeds: int = 1) -> Task:
    return trial("load", count, assist, seeds)


@task
def sizes(count: int = 10, assist: str = "fix", seeds: int = 1) -> Task:
    return trial("sizes", count, assist, seeds)


@task
def noise(count: int = 10, assist: str = "fix", seeds: int = 1) -> Task:
    return trial("noise", count, assist, seeds)


@task
def ping6(count: int = 10, assist: str = "fix", seeds: int = 1) -> Task:
    return trial("ping6", count, assist, seeds)


@task
def fragments(count: int = 10, assist: str = "fix", seeds: int = 1) -> Task:
    return trial("fragments", count, assist, seeds)


@task
def reassembly(count: int = 10, assist: str = "fix", seeds: int = 1) -> Task:
    return trial("reassembly", count, assist, seeds)


@task
def unreachable(count: int = 10, assist: str = "fix", seeds: int = 1) -> Task:
    return trial("unreachable", count, assist, seeds)


@task
def traceroute(count: int = 10, assist: str = "fix", seeds: int = 1) -> Task:
    return trial("traceroute", count, assist, seeds)


@task
def udp_echo(count: int = 10, assist: str = "fix", seeds: int = 1) -> Task:
    return trial("udp-echo", count, assist, seeds)


@task
def checksum(count: int = 10, assist: str = "fix", seeds: int = 1) -> Task:
    return trial("checksum", count, assist, seeds)


@task
def dns(count: int = 10, assist: str = "fix", seeds: int = 1) -> Task:
    return trial("dns", count, assist, seeds)


@task
def tcp_connect(count: int = 10, assist: str = "fix", seeds: int = 1) -> Task:
    return trial("tcp-connect", count, assist, seeds)


@task
def tcp_echo(count: int = 10, assist: str = "fix", seeds: int = 1) -> Task:
    return trial("tcp-echo", count, assist, seeds)


@task
def http(count: int = 10, assist: str = "fix", seeds: int = 1) -> Task:
    return trial("http", count, assist, seeds)


@task
def loss(count: int = 10, assist: str = "fix", seeds: int = 1) -> Task:
    return trial("loss", count, assist, seeds)
