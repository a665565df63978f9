#!/usr/bin/env bash
# Runs every fuzz target for so many seconds, one on each core: fuzz/run.sh [seconds] [target...].
# The seeds are written by the same test that replays them. What is found stays in the target folder.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds="${1:-600}"
shift || true
build="${CARGO_TARGET_DIR:+$CARGO_TARGET_DIR/fuzz}"
build="${build:-$PWD/fuzz/target}"
mkdir -p "$build/artifacts"
command -v cargo-fuzz >/dev/null || cargo install --locked --quiet cargo-fuzz

PAYHOOK_FUZZ_SEEDS="$build/seeds" cargo test --locked --quiet --test it fuzz:: >/dev/null
# Coverage counters are not stable yet: they are allowed for this build alone. What is unsafe is in
# other crates, so that an address sanitizer would only halve the speed.
(cd fuzz && CARGO_TARGET_DIR="$build" RUSTC_BOOTSTRAP=1 cargo fuzz build --sanitizer none)
host="$(rustc -vV | sed -n 's/^host: //p')"
targets=("$@")
if [ "${#targets[@]}" -eq 0 ]; then
  mapfile -t targets < <(sed -n 's/^name = "\(.*\)"$/\1/p' fuzz/Cargo.toml | grep -v '^payhook-fuzz$')
fi

run() {
  local corpora=("$build/corpus/$1" "$build/seeds/$1")
  if [ -d "fuzz/corpus/$1" ]; then corpora+=("fuzz/corpus/$1"); fi
  mkdir -p "${corpora[@]}"
  "$build/$host/release/$1" "${corpora[@]}" -max_total_time="$seconds" -timeout=10 \
    -rss_limit_mb=1024 -max_len=16384 -artifact_prefix="$build/artifacts/$1-" \
    -print_final_stats=1 >"$build/$1.log" 2>&1
}

report() {
  local executed
  executed="$(sed -n 's/^stat::number_of_executed_units: *//p' "$build/$1.log")"
  printf '%-14s %12s inputs %6s s  %s\n' "$1" "${executed:-?}" "$seconds" "$2"
}

failed=0
collect() {
  local status=0 target
  wait -n -p ended || status=$?
  target="${running[$ended]}"
  unset "running[$ended]"
  if [ "$status" -eq 0 ]; then
    report "$target" "nothing found"
  else
    failed=1
    report "$target" "FOUND SOMETHING"
    grep -m1 -A12 "panicked at\|ERROR: libFuzzer" "$build/$target.log" || tail -20 "$build/$target.log"
    grep "Test unit written to" "$build/$target.log" || true
  fi
}

declare -A running=()
for target in "${targets[@]}"; do
  if [ "${#running[@]}" -ge "$(nproc)" ]; then collect; fi
  run "$target" &
  running[$!]="$target"
done
while [ "${#running[@]}" -gt 0 ]; do collect; done
exit "$failed"
