#!/bin/sh
# Make this checkout ready to run: Debian packages that are missing, then .venv/ from requirements.lock.
#
# Safe to run at any time. Where all is in place it only compares a few names and one hash, and says nothing.
set -eu
cd "$(dirname "$0")"

# What `make test` and `make demo` run on; docs/development.md says what each is for.
PACKAGES="
gcc libc6-dev python3-dev python3-venv libcups2-dev
rabbitmq-server
cups cups-daemon cups-client cups-filters
cups-ipp-utils dbus-daemon nftables iproute2
poppler-utils
chromium-headless-shell
postgresql strace systemd softhsm2
fonts-lxgw-wenkai fonts-babelstone-han fonts-hanazono
"
# These come from the lock before the rest, since pycups is built from source and we ourselves are installed editable.
BUILD_TOOLS="setuptools wheel hatchling editables packaging pathspec pluggy trove-classifiers"
POLICY=/usr/sbin/policy-rc.d
POLICY_MARK="certspool setup: no package script starts a service"

main() {
    missing=$(missing_packages)
    if [ -n "$missing" ]; then
        install_packages "$missing"
    fi
    wanted=$(fingerprint)
    if [ "$wanted" != "$(cat .venv/certspool-setup 2>/dev/null || true)" ]; then
        install_python_parts
        echo "$wanted" >.venv/certspool-setup
    fi
}

say() { echo "setup: $*" >&2; }

missing_packages() {
    if ! command -v dpkg-query >/dev/null; then
        say "this is not a Debian system: please install what corresponds to" $PACKAGES
        exit 1
    fi
    # shellcheck disable=SC2086  # one word for each package is meant
    present=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' $PACKAGES 2>/dev/null || true)
    for package in $PACKAGES; do
        echo "$present" | grep -qx "installed $package" || printf ' %s' "$package"
    done
}

install_packages() {
    say "Debian packages to install:$1"
    become_root=$(how_to_become_root) || {
        say "that needs root, and neither root nor sudo is at hand. Please have an administrator run:"
        say "    apt-get install --no-install-recommends$1"
        exit 1
    }
    keep_services_still
    apt update
    # shellcheck disable=SC2086
    apt install -y --no-install-recommends $1
    let_services_go
}

apt() { $become_root env DEBIAN_FRONTEND=noninteractive apt-get -q -o Dpkg::Use-Pty=0 "$@" >&2; }

how_to_become_root() {
    if [ "$(id -u)" = 0 ]; then return; fi
    command -v sudo >/dev/null || return 1
    if [ -t 0 ] && [ -t 2 ]; then echo sudo; else sudo -n true 2>/dev/null && echo "sudo -n"; fi
}

# The packages would start RabbitMQ and CUPS where an init system runs; this project only starts its own, privately.
keep_services_still() {
    if [ -e "$POLICY" ] && ! grep -q "$POLICY_MARK" "$POLICY"; then return; fi # an administrator's own policy stays
    trap let_services_go EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM HUP
    printf '#!/bin/sh\n# %s\nexit 101\n' "$POLICY_MARK" | $become_root tee "$POLICY" >/dev/null
    $become_root chmod 755 "$POLICY"
}

let_services_go() {
    if grep -qs "$POLICY_MARK" "$POLICY"; then $become_root rm -f "$POLICY"; fi
    trap - EXIT INT TERM HUP
}

fingerprint() { cat setup.sh pyproject.toml requirements.lock | sha256sum | cut -d' ' -f1; }

install_python_parts() {
    python=$(find_python)
    say "making .venv with $python (half a minute)"
    if ! .venv/bin/python -m pip --version >/dev/null 2>&1; then
        "$python" -m venv --clear .venv
    fi
    rm -f .venv/certspool-setup
    build_tools=$(mktemp)
    lock_entries "$BUILD_TOOLS" >"$build_tools"
    pip_install --require-hashes --no-deps -r "$build_tools"
    rm -f "$build_tools"
    pip_install --require-hashes --no-build-isolation -r requirements.lock
    pip_install --no-deps --no-build-isolation --editable .
}

pip_install() { .venv/bin/python -m pip install --quiet --no-input --disable-pip-version-check "$@"; }

# Debian's own Python first: another one earlier in PATH (pyenv, conda) may lack venv or headers.
find_python() {
    for candidate in /usr/bin/python3 python3.13 python3.12 python3.11 python3; do
        if "$candidate" -c 'import sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            echo "$candidate"
            return
        fi
    done
    say "Python 3.11 or later is needed"
    exit 1
}

# Print the lines of requirements.lock that belong to these packages, hashes and all.
lock_entries() {
    awk -v names="$1" '
        BEGIN { split(names, list, " "); for (i in list) wanted[list[i]] = 1 }
        /^[a-z0-9]/ { split($0, part, "=="); printing = part[1] in wanted }
        printing' requirements.lock
}

main
