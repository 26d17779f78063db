#!/usr/bin/env bash
# Runs the fuzz targets one after the other, each for the given time, in endless rounds:
#     fuzz/run.sh SECONDS [TARGET...]
# Adds a line for each run to target/runs.tsv: target, seconds, seconds of CPU time, executions, status (0: nothing
# found). Findings are in artifacts/TARGET. README.md explains how to build and seed.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

seconds=${1:?seconds for each target}
shift
built=$(echo target/*/release)
if (($#)); then targets=("$@"); else mapfile -t targets < <(sed -n 's|^path = "fuzz_targets/\(.*\).rs"|\1|p' Cargo.toml); fi

# Largest input, in bytes.
room() { case $1 in recording | serde | convert | analysis) echo 65536 ;; unpack | pprof | metadata) echo 16384 ;; *) echo 4096 ;; esac; }

TIMEFORMAT='%R %U %S'
while true; do
    for target in "${targets[@]}"; do
        mkdir -p "corpus/$target" "artifacts/$target" target/log
        log=target/log/$target.log
        took=$({ time nice -n 19 "$built/$target" "corpus/$target" "-artifact_prefix=artifacts/$target/" \
            "-max_total_time=$seconds" "-max_len=$(room "$target")" -timeout=20 -rss_limit_mb=2048 \
            -malloc_limit_mb=512 -print_final_stats=1 >"$log" 2>&1; } 2>&1)
        status=$?
        runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
        awk -v t="$target" -v runs="${runs:-0}" -v s="$status" \
            '{ printf "%s\t%d\t%d\t%s\t%d\n", t, $1, $2 + $3, runs, s }' <<<"$took" >>target/runs.tsv
        if ((status)); then cp "$log" "$log.$(date +%s)"; fi
    done
done
