#!/usr/bin/env bash
# Installs a package into a root of its own, upgrades, removes and purges it there, and looks at what is left each time.
# The machine's own packages are not touched. Needs root. Usage: deb-install.sh PACKAGE
set -euo pipefail
package=$(readlink -f "$1")
printf '\n== install, upgrade, remove, purge in a root of its own\n'
[ "$(id -u)" = 0 ] || { echo "skipped: needs root (chroot)"; exit 0; }
command -v adduser >/dev/null || { echo "skipped: adduser is not installed"; exit 0; }

root=$(mktemp -d)
trap 'umount -R "$root/usr" 2>/dev/null || true; rm -rf --one-file-system "$root"' EXIT
mkdir -p "$root"/{etc,var/lib/dpkg/{info,updates},var/log,var/lib/sereno.none,usr,dev,proc,tmp,run}
rmdir "$root/var/lib/sereno.none"
for link in bin sbin lib lib64; do ln -s "usr/$link" "$root/$link"; done
# Programs of the machine below, what the package brings above.
mkdir -p "$root/tmp/upper" "$root/tmp/work"
if ! mount -t tmpfs none "$root/tmp" || ! mkdir -p "$root/tmp/upper" "$root/tmp/work" ||
    ! mount -t overlay overlay -o "lowerdir=/usr,upperdir=$root/tmp/upper,workdir=$root/tmp/work" "$root/usr" 2>/dev/null; then
    umount "$root/tmp" 2>/dev/null || true
    echo "skipped: this machine mounts no overlay"
    exit 0
fi
trap 'umount "$root/usr" "$root/tmp" 2>/dev/null || true; rm -rf --one-file-system "$root"' EXIT
cp /etc/passwd /etc/group /etc/shadow /etc/adduser.conf /etc/ld.so.cache "$root/etc/" 2>/dev/null || true
sed -i '/^sereno:/d' "$root/etc/passwd" "$root/etc/group" "$root/etc/shadow"
cp /var/lib/dpkg/status "$root/var/lib/dpkg/"
cp -a /var/lib/dpkg/info/. "$root/var/lib/dpkg/info/"
mknod -m 666 "$root/dev/null" c 1 3

dpkg_here() { DPKG_ROOT='' chroot "$root" dpkg --force-depends --no-triggers "$@" >"$root/run/said" 2>&1 || { cat "$root/run/said"; exit 1; }; }
must() { eval "$1" || { echo "wrong: $1"; exit 1; }; }
cp "$package" "$root/run/package.deb"

dpkg_here -i /run/package.deb
owner() { stat -c '%a %u:%g' "$1"; }
ids="$(awk -F: '$1 == "sereno" {print $3 ":" $4}' "$root/etc/passwd")"
must '[ -n "$ids" ]'
must '[ "$(owner "$root/var/lib/sereno")" = "750 $ids" ]'
must '[ "$(owner "$root/etc/sereno/sereno.toml")" = "640 0:${ids#*:}" ]'
must '[ -f "$root/usr/lib/systemd/system/sereno.service" ]'
must '[ -L "$root/etc/systemd/system/multi-user.target.wants/sereno.service" ]'
chroot "$root" /usr/bin/sereno --version
echo "installed"

echo evidence >"$root/var/lib/sereno/kept"
echo '# changed by hand' >>"$root/etc/sereno/sereno.toml"
dpkg_here --force-confold -i /run/package.deb
must '[ -f "$root/var/lib/sereno/kept" ]'
must 'grep -q "changed by hand" "$root/etc/sereno/sereno.toml"'
echo "upgraded: data and configuration kept"

dpkg_here -r sereno
must '[ ! -e "$root/usr/bin/sereno" ]'
must '[ -f "$root/var/lib/sereno/kept" ]'
must '[ -f "$root/etc/sereno/sereno.toml" ]'
echo "removed: data and configuration kept"

dpkg_here -P sereno
must '[ ! -e "$root/var/lib/sereno" ]'
must '[ ! -e "$root/etc/sereno" ]'
must '[ ! -e "$root/etc/systemd/system/multi-user.target.wants/sereno.service" ]'
echo "purged: nothing left but the user"
