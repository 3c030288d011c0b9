"""Runs the tasks of examples/inspect/tun_mcp.py without Inspect AI.

In place of inspect_ai there are only the names that the file uses, with the
parameters that Inspect's documentation gives them. In place of a model the built-in
agent plays the very trial that the MCP server would have been. MISTAKE makes it
wrong; NOBODY=1 plays nothing. A line of JSON for each sample.
"""

import asyncio
import json
import os
import subprocess
import sys
import types


class Store(dict):
    def get(self, key, default):
        return super().get(key, default)

    def set(self, key, value):
        self[key] = json.loads(json.dumps(value))  # a store holds JSON


class Made:
    """What Inspect makes of keywords: the ones that are given, and no others."""

    def __init__(self, **given):
        self.__dict__.update(given)


def Task(*, dataset, solver, scorer):
    return Made(dataset=dataset, solver=solver, scorer=scorer)


def Sample(*, input, id, metadata):
    return Made(input=input, id=id, metadata=metadata)


def Score(*, value, answer=None, explanation=None, metadata=None):
    return Made(value=value, answer=answer, explanation=explanation)


tasks = []


def task(function):
    tasks.append(function)
    return function


def mcp_server_stdio(*, command, args):
    return Made(command=command, args=args)


def react(*, prompt, tools, submit):
    [server] = tools
    assert prompt is None and submit is False
    return server


def as_solver(server):
    async def solve(state, generate):
        if os.environ.get("NOBODY"):
            return state
        mistake = os.environ.get("MISTAKE")
        args = ["builtin" if a == "served" else a for a in server.args]
        subprocess.run([server.command, *args, *(["--mistake", mistake] if mistake else [])], capture_output=True)
        return state

    return solve


def module(name, **names):
    sys.modules[name] = types.ModuleType(name)
    sys.modules[name].__dict__.update(names)


same = lambda function: function
module("inspect_ai", Task=Task, task=task)
module("inspect_ai.agent", as_solver=as_solver, react=react)
module("inspect_ai.dataset", Sample=Sample)
module("inspect_ai.scorer", Score=Score, Scorer=object, Target=object, mean=lambda: "mean", stderr=lambda: "stderr", scorer=lambda *, metrics: same)
module("inspect_ai.solver", Generate=object, Solver=object, TaskState=object, solver=same)
module("inspect_ai.tool", mcp_server_stdio=mcp_server_stdio)

sys.path.insert(0, "examples/inspect")
sys.dont_write_bytecode = True
import tun_mcp


async def run(sample, made):
    state = Made(metadata=sample.metadata, store=Store())
    return await made.scorer(await made.solver(state, None), None)


for function in tasks:
    if len(sys.argv) > 1 and function.__name__ not in sys.argv[1:]:
        continue
    made = function(count=2, seeds=1) if len(sys.argv) == 1 else function(count=2, seeds=2)
    for sample in made.dataset:
        score = asyncio.run(run(sample, made))
        print(json.dumps({"task": function.__name__, "id": sample.id, "told": sample.input, "reward": score.value, "answer": score.answer, "why": score.explanation}))
