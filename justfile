# Everything heavier than the README's two commands. Tools are installed by name from registries.

set shell := ["bash", "-euo", "pipefail", "-c"]

# What must hold before a commit.
check: fmt clippy core docs deny

# The README's second command.
test:
    cargo test --locked

# Formatting.
fmt:
    cargo fmt --all --check

# Lints: none may remain.
clippy:
    cargo clippy --locked --workspace --all-targets -- -D warnings

# The core compiles and passes without the server: no runtime, no network, no clock.
core:
    cargo test --locked --no-default-features

# Public documentation is complete and its links hold.
docs:
    RUSTDOCFLAGS="-D warnings" cargo doc --locked --no-deps

# Licences, duplicates, sources; advisories where their database can be reached; what is measured is
# what ships.
deny:
    benches/features.sh
    command -v cargo-deny >/dev/null || cargo install --locked --quiet cargo-deny
    cargo deny --locked --workspace check bans licenses sources
    if timeout 120 cargo deny --locked fetch db >/dev/null 2>&1; then \
        cargo deny --locked --workspace check --disable-fetch advisories; \
    else \
        echo "the advisory database cannot be reached from here: advisories were not checked"; \
    fi

# Pages written from tables; look at the difference afterwards.
bless:
    PAYHOOK_BLESS=1 cargo test --locked --no-default-features --test it gateways_page

# The contract's own lint.
proto:
    npx --yes @bufbuild/buf@1.75.0 lint

# The README's first command: exits non-zero if any outcome is wrong.
demo:
    cargo run --locked --quiet -- demo

# Official SDKs from PyPI and npm (docs/differential.md) and a client in every language
# (docs/clients.md) against the running server.
clients:
    cargo build --locked --quiet
    bash clients/run.sh
    bash clients/languages.sh

# The examples of docs/idempotency.md on SQLite and PostgreSQL, and the page compared with them.
examples:
    cargo build --locked --quiet
    bash examples/idempotency/check.sh

# The charts: lint, schema, golden renders, strict objects for every Kubernetes, policy.
chart:
    bash deploy/chart.sh

# Instructions per webhook and gateway, by valgrind: 5 % above the budget fails. `--bless` renews.
budgets *ARGS:
    benches/budget/run.sh {{ARGS}}

# Times in process as ratios to the bare HMAC; `--short` while developing.
bench *ARGS:
    PERFORMANCE="${CARGO_TARGET_DIR:-$PWD/target}/performance" cargo bench --locked --quiet -p payhook-benches --bench micro -- {{ARGS}}

# Every goal of docs/performance.md, and that page; `--short` while developing.
load *ARGS:
    benches/load.sh {{ARGS}}

# Renews what the compiler knows of the paths that webhooks take, about 15 minutes.
profile:
    deploy/profile.sh

# The pod: image, podman, the demo shop, a rotated secret, SIGTERM.
pod:
    bash deploy/pod.sh

# A real API server: install, upgrade, rollback. Builds it from source, about ten minutes.
apiserver:
    bash deploy/apiserver.sh

# Load, faults and attacks for seconds each, against the release build: do the bounds hold.
load-short:
    cargo build --locked --release --bin payhook
    cargo bench --locked -p payhook-benches --bench load -- all

# One scenario, such as `just scenario attacks --full`; docs/load.md lists them.
scenario *arguments:
    cargo build --locked --release --bin payhook
    cargo bench --locked -p payhook-benches --bench load -- {{arguments}}

# Everything at full length against the binary that ships, about 25 minutes on a quiet machine;
# writes docs/load-figures.md.
load-full:
    deploy/dist.sh build --bin payhook
    PAYHOOK_BINARY="$(just binary "$(rustc -vV | sed -n 's/^host: //p')/dist")" cargo bench --locked -p payhook-benches --bench load -- all --full --keep

# Ten million calls of every kind.
soak:
    deploy/dist.sh build --bin payhook
    PAYHOOK_BINARY="$(just binary "$(rustc -vV | sed -n 's/^host: //p')/dist")" cargo bench --locked -p payhook-benches --bench load -- soak --full --keep

# Where cargo puts the binary of a profile.
[private]
binary profile:
    @cargo metadata --locked --format-version 1 --no-deps | sed -E 's|.*"target_directory":"([^"]+)".*|\1/{{profile}}/payhook|'

# Every fuzz target for so many seconds; a regression input found goes to fuzz/corpus/TARGET.
fuzz seconds="600":
    fuzz/run.sh {{seconds}}
