#!/bin/sh
# A trial as an exec provider of promptfoo: trial.sh FLAGS SCENARIO. FLAGS are those of
# `tun-mcp trial`; promptfoo adds the scenario, which is the prompt, and two arguments
# more. It prints the trial's JSON. Wrong answers are a result, not an error.
report=$(mktemp) || exit 1
trap 'rm -f "$report"' EXIT
# shellcheck disable=SC2086 # FLAGS are several words
tun-mcp trial "$2" $1 --json "$report" >/dev/null || [ -s "$report" ] || exit 1
cat "$report"
