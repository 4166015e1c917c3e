#!/bin/sh
# Installs what the build, the demo and the tests need, and nothing that is already there.
#
#   ./setup.sh demo    compiler, libpcap, the engine            (what `make demo` calls)
#   ./setup.sh dist    compiler, and what packs the sensor      (what `make dist` calls)
#   ./setup.sh test    all of it, and the test tools            (what `make test` calls)
#
# One line a step. Safe to run again: when all is there it only looks.
# PROFILE names the cargo profile of the binary that fetches the engine, so nothing is built twice.
set -eu
cd "$(dirname "$0")"

purpose=${1:-test}
profile=${PROFILE:-dev}

say() { printf 'setup: %s\n' "$*"; }
fail() {
    printf 'setup: %s\n' "$*" >&2
    exit 1
}
have() { command -v "$1" >/dev/null 2>&1; }

case $purpose in
demo | dist | test) ;;
*) fail "unknown purpose '$purpose'; say './setup.sh demo', './setup.sh dist' or './setup.sh test'" ;;
esac

# 1. Debian packages: asked for by what they bring, so another system's packages do as well.
missing=
have cc || missing="$missing gcc libc6-dev"
have pkg-config || missing="$missing pkg-config"
{ have pkg-config && pkg-config --exists libpcap; } || missing="$missing libpcap-dev"
have npm || missing="$missing npm"
if [ "$purpose" = test ]; then
    have c++ || missing="$missing g++" # libFuzzer's runtime is C++
    python3 -c 'import venv, ensurepip' 2>/dev/null || missing="$missing python3-venv"
    have gpg || missing="$missing gnupg" # verifies mails as their receivers do
    # a wire, a system and a judge for what goes to the field
    have ip || missing="$missing iproute2"
    have debootstrap || missing="$missing debootstrap"
    have systemd-analyze || missing="$missing systemd"
    # what hosts of the lab send, and what wires and clocks of it are bent with
    have ethtool || missing="$missing ethtool"
    have faketime || missing="$missing faketime"
    for scanner in zmap masscan nmap hping3; do
        have $scanner || missing="$missing $scanner"
    done
    have chromium || missing="$missing chromium" # looks at the console as people do
    { have prometheus && have promtool; } || missing="$missing prometheus" # reads the centre as operators do
fi
if [ -n "$missing" ]; then
    as_root=
    if [ "$(id -u)" != 0 ]; then
        have sudo || fail "missing packages:$missing. Install them as root: apt-get install$missing"
        as_root=sudo
    fi
    have apt-get || fail "missing packages:$missing. Install what your system calls them, then run this again"
    say "installing Debian packages:$missing"
    $as_root apt-get update -qq </dev/null
    # Programs are wanted, not services: what Debian asks before it starts one says no meanwhile.
    policy=/usr/sbin/policy-rc.d
    if [ -e $policy ]; then
        policy= # this machine has its own
    else
        trap '$as_root rm -f $policy' EXIT
        printf '#!/bin/sh\nexit 101\n' | $as_root tee $policy >/dev/null
        $as_root chmod 755 $policy
    fi
    # shellcheck disable=SC2086  # the list is meant to be split
    DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -qq --no-install-recommends \
        $missing </dev/null >/dev/null
    case $missing in
    *prometheus*) $as_root systemctl disable --quiet prometheus 2>/dev/null ;; # nor at the next start
    esac
    [ -z "$policy" ] || $as_root rm -f $policy
    trap - EXIT
else
    say "system packages are there"
fi

# 2. Rust. The version is pinned in rust-toolchain.toml; rustup fetches it by itself.
have cargo || fail "cargo is missing. Install Rust with rustup (see the Rust project's site), then run this again"
if ! cargo --version >/dev/null 2>&1; then
    have rustup || fail "cargo does not run: install Rust with rustup, then run this again"
    say "installing the pinned Rust toolchain"
    rustup toolchain install --no-self-update </dev/null >/dev/null
fi
say "$(rustc --version)"

# 3. Test tools, built once a machine.
tool() { # command, crate
    if have "$1"; then
        return
    fi
    say "building $2 (some minutes, once a machine)"
    cargo install --locked --quiet "$2" </dev/null
    have "$1" || fail "$2 was installed where PATH does not look: add ~/.cargo/bin to PATH"
}
if [ "$purpose" != demo ]; then
    tool cargo-cyclonedx cargo-cyclonedx
fi
if [ "$purpose" = dist ]; then
    say "ready"
    exit
fi
if [ "$purpose" = test ]; then
    tool cargo-nextest cargo-nextest
    tool cargo-deny cargo-deny
    tool cargo-fuzz cargo-fuzz
    say "test tools are there"
fi

# 4. Partners' and operators' own programs, which tests drive: one environment for each list. One that
#    was made from the same list is left alone, so that without a network nothing is missing.
environment() { # list of requirements
    name=$(basename "$1" .txt)
    name=${name#requirements-}
    at=target/interop/$name
    if cmp -s "$1" "$at/requirements.txt"; then
        return
    fi
    say "installing $name for the tests"
    rm -rf "$at"
    python3 -m venv "$at" </dev/null
    "$at/bin/pip" install --quiet --disable-pip-version-check --no-deps --requirement "$1" </dev/null ||
        fail "cannot install what $1 lists (Python 3.11 is known to work, this is $(python3 --version))"
    "$at/bin/pip" check --disable-pip-version-check >/dev/null || fail "$1 does not list all that is needed"
    cp "$1" "$at/requirements.txt"
}
modules() { # package.json, name, what it brings
    at=target/interop/$2
    if cmp -s "$1" "$at/package.json"; then
        return
    fi
    say "installing $3 for the tests"
    rm -rf "$at"
    mkdir -p "$at"
    cp "$1" "$at/"
    (cd "$at" && npm install --silent --no-package-lock --no-audit --no-fund </dev/null) || {
        rm -rf "$at"
        fail "cannot install what $1 lists"
    }
}
if [ "$purpose" = test ]; then
    for list in feeds/interop/requirements-*.txt tests/interop/requirements-*.txt; do
        environment "$list"
    done
    say "partners' programs are there"
    modules dashboards/interop/package.json grafana "Grafana's types"
    modules tests/browser/package.json browser "what drives a browser"
fi

# 5. The engine, by its package name, through the product's own command.
case $profile in
dev) binary=target/debug/noroshi ;;
*) binary=target/$profile/noroshi ;;
esac
say "building noroshi and noroshi-sensor (profile $profile)"
cargo build --quiet --profile "$profile" --workspace --bins </dev/null
"$binary" engine fetch
say "ready"
