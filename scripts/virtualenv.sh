# Make the virtual environment that every make target runs in: this project, editable, with its server
# extra and its dependency groups. Called by the Makefile when pyproject.toml changed: virtualenv.sh DIR
set -eu
venv=$1
here=$(dirname "$0")

new_enough() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

find_python() {
    for name in "${PYTHON3:-python3}" python3 python3.14 python3.13 python3.12 python3.11; do
        if new_enough "$name"; then
            echo "$name"
            return
        fi
    done
    echo "Python 3.11 or newer is needed; name one with: make PYTHON3=/path/to/python3" >&2
    exit 1
}

python=$(find_python)
if ! new_enough "$venv/bin/python"; then
    # Debian keeps ensurepip in a package of its own; without it venv makes a folder and then fails.
    "$python" -c 'import ensurepip' 2>/dev/null \
        || PYTHON3=$python sh "$here/system_packages.sh" venv
    "$python" -m venv --clear "$venv"
fi
echo "Installing what pyproject.toml names into $venv ..."
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
"$venv/bin/python" -m pip install --quiet --upgrade 'pip>=25.1'  # 25.1: dependency groups
"$venv/bin/python" -m pip install --quiet --editable '.[server]' --group dev
