#!/usr/bin/env bash
# Packs target/PROFILE into target/deb/*.deb with cargo-deb, then tries what it made: contents, unpacked programs,
# installation and removal into a root of its own, lintian, the score of the units. Usage: deb.sh release|debug
set -euo pipefail
cd "$(dirname "$0")/.."
profile=${1:-release}
built=target/$profile
stage=target/deb
say() { printf '\n== %s\n' "$*"; }

command -v dpkg-deb >/dev/null || { echo "missing: dpkg-deb (apt-get install dpkg)" >&2; exit 1; }
for program in sereno sereno-edge; do
    [ -x "$built/$program" ] || { echo "missing: $built/$program (make release, or PROFILE=debug)" >&2; exit 1; }
done
export PATH="$PWD/target/tools/bin:$PATH"
if ! command -v cargo-deb >/dev/null; then
    echo "cargo-deb is built once, into target/tools"
    cargo install --quiet --locked cargo-deb --version 3.8.0 --root target/tools --target-dir target/tools/build
    rm -rf target/tools/build
fi

say "stage: programs, manual pages, completions"
rm -rf "$stage"
mkdir -p "$stage"/{bin,man,completions/{bash,zsh,fish}}
for program in sereno sereno-edge; do
    # Release programs are stripped already; the development ones are five times as large with their lines.
    strip --strip-unneeded -o "$stage/bin/$program" "$built/$program"
done
"$built/sereno" man --out "$stage/man"
cp packaging/sereno-edge.1 "$stage/man/"
gzip -9n "$stage"/man/*.1
"$built/sereno" completions bash >"$stage/completions/bash/sereno"
"$built/sereno" completions zsh >"$stage/completions/zsh/_sereno"
"$built/sereno" completions fish >"$stage/completions/fish/sereno.fish"
ls -l "$stage/bin"

say "pack"
# What is only tried need not be small.
speed=()
[ "$profile" = release ] || speed=(--fast)
cargo deb --quiet -p sereno --no-build --no-strip "${speed[@]}" --output "$stage/"
package=$(ls "$stage"/sereno_*.deb)
dpkg-deb --info "$package"
dpkg-deb --contents "$package" | awk '{print $1, $2, $3, $6}' | grep -v '/man1/sereno-.*-'

say "unpack and run"
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
dpkg-deb -x "$package" "$root"
"$root/usr/bin/sereno" --version
"$root/usr/bin/sereno-edge" --version
"$root/usr/bin/sereno" config check --config "$root/etc/sereno/sereno.toml" --data "$root/var/lib/sereno"
man_pages=$(find "$root/usr/share/man" -name '*.gz' | wc -l)
echo "$man_pages manual pages"
[ "$(stat -c %a "$root/etc/sereno/sereno.toml")" = 640 ]

bash tools/deb-install.sh "$package"

say "lintian"
if command -v lintian >/dev/null; then
    lintian --fail-on error --allow-root --tag-display-limit 0 "$package" && echo "no errors"
else
    echo "skipped: lintian is not installed (apt-get install lintian)"
fi

say "systemd-analyze"
if command -v systemd-analyze >/dev/null; then
    units=$(mktemp -d)
    cp packaging/*.service "$units/"
    # Verified as they will be found: the programs exist only in the unpacked package.
    sed -i "s,/usr/bin/sereno,$root/usr/bin/sereno,g" "$units"/*.service
    mv "$units/sereno-edge@.service" "$units/sereno-edge@try.service"
    systemd-analyze verify --man=no "$units"/*.service
    systemd-analyze security --offline=true --threshold=30 "$units/sereno.service" | tail -n 1
    systemd-analyze security --offline=true --threshold=40 "$units/sereno-edge@try.service" | tail -n 1
    rm -rf "$units"
else
    echo "skipped: systemd-analyze is not installed (apt-get install systemd)"
fi

say "result"
ls -l "$package"
