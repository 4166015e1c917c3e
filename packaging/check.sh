#!/bin/sh
# Tries what packaging/dist.sh made, as a machine in the field would: what cannot be tried here
# is reported as not run, never as passed.
set -eu
cd "$(dirname "$0")/.."
work=$(mktemp -d)
near=noroshi-near-$$
far=noroshi-far-$$
cleanup() {
    ip netns delete "$near" 2>/dev/null || true
    ip netns delete "$far" 2>/dev/null || true
    rm -rf "$work"
}
trap cleanup EXIT

say() { printf 'dist: %s\n' "$*"; }
not_run() { printf 'dist: not run: %s\n' "$*"; }
fail() {
    printf 'dist: %s\n' "$*" >&2
    exit 1
}

package=$(echo dist/noroshi-sensor-*.deb)
binary=${package%.deb}
[ -x "$binary" ] || fail "no binary in dist: run packaging/dist.sh"
(cd dist && sha256sum --quiet --check SHA256SUMS)

# 1. One file, with nothing beside it.
said=$(ldd "$binary" 2>&1 || true)
case $said in
*"not a dynamic executable"*) ;;
*) fail "$binary is not static: $said" ;;
esac
bytes=$(stat -c %s "$binary")
[ "$bytes" -lt 6000000 ] || fail "$binary has $bytes bytes: 6,000,000 are allowed"
say "$binary is static and has $bytes bytes"
grep -q '"bomFormat": "CycloneDX"' "$binary.cdx.json" || fail "$binary.cdx.json is no list of parts"

# 2. In a root directory with nothing else, on a wire of its own: every packet is counted.
in_chroot() {
    ip netns add "$near" && ip netns add "$far" || return 1
    ip -n "$near" link add near type veth peer name far netns "$far"
    ip netns exec "$near" sysctl -q -w net.ipv6.conf.all.disable_ipv6=1
    ip netns exec "$far" sysctl -q -w net.ipv6.conf.all.disable_ipv6=1
    ip -n "$near" link set near up
    ip -n "$far" link set far up
    root=$work/empty
    mkdir "$root"
    cp "$binary" "$root/noroshi-sensor"
    cat >"$root/sensor.toml" <<CONFIG
sensor = "field"
collector = "http://localhost:9"
interface = "near"
telescope = ["198.18.0.0/20"]
salt_file = "salt"
[spool]
path = "spool"
CONFIG
    ip netns exec "$near" chroot "$root" /noroshi-sensor doctor --config /sensor.toml --seconds 4 --json \
        >"$work/said" 2>"$work/errors" &
    doctor=$!
    sleep 1
    ip netns exec "$far" python3 - <<'SENDER'
import socket
wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
wire.bind(("far", 0))
frame = bytes.fromhex("020000000001020000000002" "0800"
    "4500002800074000340600 00cb007107c6120001" "9c4000170000000100000000 5002 ffff 0000 0000".replace(" ", ""))
for _ in range(1000):
    wire.send(frame)
SENDER
    wait "$doctor" && return 1 # nobody listens on the collector's port, and that is to be said
    grep -q '"part":"telescope","health":"good","finding":"1000 packets to the telescope' "$work/said" &&
        grep -q '"part":"collector","health":"bad".*127.0.0.1:9: ' "$work/said"
}
if [ "$(id -u)" = 0 ] && command -v ip >/dev/null && unshare --net true 2>/dev/null; then
    in_chroot || fail "in an empty root directory: $(cat "$work/said" "$work/errors")"
    say "in an empty root directory, 1,000 packets of 1,000 were counted"
else
    not_run "the empty root directory needs root and network namespaces"
fi

# 3. What the services may do.
judge() { # unit, exposure that is allowed
    score=$(systemd-analyze security --offline=true --threshold="$2" --no-pager "$1" | tail -n 1) ||
        fail "$1 may do too much: $score"
    say "${score#* }"
}
if command -v systemd-analyze >/dev/null; then
    judge packaging/sensor/noroshi-sensor.service 20
    judge packaging/centre/noroshi.service 20
else
    not_run "the score of the services needs systemd-analyze"
fi

# 4. Installed, tried and removed in a system of their own.
files() {
    find "$work/debian/etc" "$work/debian/usr" "$work/debian/lib/" "$work/debian/var/lib" -path '*dpkg*' -prune -o -print |
        sort
}
inside() { chroot "$work/debian" "$@" >>"$work/errors" 2>&1; }
in_debian() { # package's file, its name; standard input is what to try
    cp "$1" "$work/debian/package.deb"
    inside dpkg -i /package.deb || return 1
    inside sh -e || return 1
    inside dpkg -P "$2" || return 1
    files | diff "$work/before" - >>"$work/errors"
}
if [ "$(id -u)" != 0 ] || ! command -v debootstrap >/dev/null; then
    not_run "installing the packages needs root and debootstrap"
elif ! debootstrap --variant=minbase bookworm "$work/debian" >"$work/errors" 2>&1; then
    not_run "installing the packages: debootstrap says: $(tail -n 1 "$work/errors")"
else
    # The centre's user stays, as users of services do in Debian.
    inside useradd --system --user-group --home-dir /var/lib/noroshi --no-create-home noroshi
    files >"$work/before"
    in_debian "$package" noroshi-sensor <<'TRY' || fail "$package: $(tail -n 20 "$work/errors")"
noroshi-sensor check --config /etc/noroshi/sensor.toml
TRY
    say "$package installs, runs, and leaves nothing behind"
    centre=$(echo dist/noroshi-[0-9]*.deb)
    if [ ! -e "$centre" ]; then
        not_run "the centre's package is not there: packaging/centre.sh makes it"
    else
        in_debian "$centre" noroshi <<'TRY' || fail "$centre: $(tail -n 20 "$work/errors")"
# Without a registry it says so, and with the example it is content.
code=0
noroshi check --config /etc/noroshi/noroshi.toml || code=$?
test "$code" = 78
cp /usr/share/doc/noroshi/examples/registry.toml /etc/noroshi/registry.toml
noroshi check --config /etc/noroshi/noroshi.toml
rm /etc/noroshi/registry.toml
TRY
        say "$centre installs, runs, and leaves nothing behind"
    fi
fi
