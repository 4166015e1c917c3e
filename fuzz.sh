#!/bin/sh
# Runs every fuzz target for FUZZ_SECONDS (10), from the inputs in its corpus on: a smoke test, not a
# hunt. FUZZ_RUNS=10000000 hunts: so many executions of each instead.
# Needs a nightly toolchain; without one the property tests of `cargo nextest` stand for it.
set -eu
cd "$(dirname "$0")"
seconds=${FUZZ_SECONDS:-10}
if [ -n "${FUZZ_RUNS:-}" ]; then
    bound=-runs=$FUZZ_RUNS
else
    bound=-max_total_time=$seconds
fi

if ! cargo +nightly --version >/dev/null 2>&1; then
    echo "fuzz: no nightly toolchain, so libFuzzer was not run; the property tests cover the same" \
        "laws (to run it: rustup toolchain install nightly)"
    exit 0
fi
for manifest in */fuzz/Cargo.toml; do
    [ -e "$manifest" ] || { echo "fuzz: no fuzz targets"; exit 0; }
    folder=$(dirname "$manifest")
    for target in $(cargo +nightly fuzz list --fuzz-dir "$folder"); do
        echo "fuzz: $folder $target $bound"
        found=target/fuzz/corpus/$target # new inputs go here, beside those that are kept
        mkdir -p "$found"
        cargo +nightly fuzz run --fuzz-dir "$folder" --target-dir target/fuzz "$target" "$found" \
            "$folder/corpus/$target" -- \
            "$bound" -rss_limit_mb=1024 -timeout=10 -verbosity=0 </dev/null
    done
done
