#!/usr/bin/env bash
# Instructions of one verification per gateway, against benches/budget/instructions.txt: more than
# 5 % above fails. `--bless` writes what was counted. Counts repeat where times do not.
set -euo pipefail
cd "$(dirname "$0")/../.."
budgets=benches/budget/instructions.txt
if ! command -v valgrind >/dev/null; then
  { [ "$(id -u)" = 0 ] && apt-get update -qq && apt-get install -qq -y --no-install-recommends valgrind; } >/dev/null 2>&1 || {
    echo "valgrind is needed to count instructions: install the package \"valgrind\"" >&2
    exit 1
  }
fi
binary=$(cargo bench --locked --quiet --no-default-features --bench budget --no-run \
  --message-format=json | grep -o '"executable":"[^"]*/budget-[^"]*"' | cut -d'"' -f4 | tail -1)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export binary work
count() {
  local name="${1%%:*}" kind="${1##*:}" out
  out="$work/out.${1// /_}"
  valgrind --tool=callgrind --collect-atstart=no --toggle-collect='*payhook_budget_once*' \
    --callgrind-out-file="$out" "$binary" "$name" "$kind" >"$out.log" 2>&1 || {
    cat "$out.log" >&2
    return 1
  }
  echo "${name// /_} $kind $(sed -n 's/^summary: *\([0-9]*\).*/\1/p' "$out")"
}
export -f count
"$binary" >"$work/names"
[ -s "$work/names" ] || { echo "there is nothing to count" >&2; exit 1; }
xargs -d '\n' -P "$(nproc)" -I {} bash -euc 'count "$1"' count {} <"$work/names" | sort >"$work/counted"
[ "$(wc -l <"$work/names")" = "$(wc -l <"$work/counted")" ] || { echo "a count is missing" >&2; exit 1; }
if [ "${1:-}" = --bless ]; then
  {
    echo "# Instructions of one call under callgrind, which hides the CPU's SHA extensions."
    echo "# Checked with a margin of 5 % by \`just budgets\`; renewed by \`just budgets --bless\`."
    cat "$work/counted"
  } >"$budgets"
fi
awk -v file="$budgets" '
  BEGIN { while ((getline line < file) > 0) if (line !~ /^#/) { split(line, f, " "); budget[f[1] " " f[2]] = f[3] } }
  { key = $1 " " $2; most = key in budget ? budget[key] : 0 }
  !most { printf "%-34s %9d  no budget: run just budgets --bless\n", key, $3; bad = 1; next }
  { ratio = $3 / most; verdict = ratio > 1.05 ? "EXCEEDED" : ratio < 0.95 ? "below: bless it" : "" }
  { printf "%-34s %9d of %9d  %.3f %s\n", key, $3, most, ratio, verdict; bad += ratio > 1.05; seen++ }
  END {
    for (key in budget) n++
    if (n != seen) { print "budgets without a count: " n - seen; bad = 1 }
    if (bad) { print "an instruction budget is exceeded by more than 5 %"; exit 1 }
  }' "$work/counted"
