# Install what pip cannot bring, where it is missing: system_packages.sh NEED...
# A need is a word of the tables below, or a program whose Debian package has its name.
set -eu

is_there() {
    case $1 in
        venv) "${PYTHON3:-python3}" -c 'import ensurepip' ;;
        browser) test -x "${CHROMIUM:-}" || command -v chromium || command -v chromium-browser \
            || command -v google-chrome ;;
        compiler) cc -E -include zlib.h -x c /dev/null ;;
        nginx) PATH=$PATH:/usr/sbin command -v nginx ;;  # not on the path of ordinary users
        nchan) test -e /usr/lib/nginx/modules/ngx_nchan_module.so ;;
        *) command -v "$1" ;;
    esac >/dev/null 2>&1
}

packages_of() {
    case $1 in
        venv) echo python3-venv ;;
        browser) echo chromium ;;
        compiler) echo gcc libc6-dev zlib1g-dev ;;
        nchan) echo libnginx-mod-nchan ;;
        php) echo php-cli ;;
        *) echo "$1" ;;
    esac
}

remedy_of() {
    case $1 in
        venv) echo "install your system's package for python3's venv module" ;;
        browser) echo "install Chromium, or name one with: make test CHROMIUM=/path/to/chromium" ;;
        compiler) echo "install a C compiler (cc) and the headers of zlib" ;;
        php) echo "install the command line of PHP 8" ;;
        *) echo "install $1" ;;
    esac
}

missing=""
for need in "$@"; do
    is_there "$need" || missing="$missing $need"
done
[ -n "$missing" ] || exit 0

packages=$(for need in $missing; do packages_of "$need"; done | tr '\n' ' ')
if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
    for need in $missing; do
        echo "Missing: $need. Please $(remedy_of "$need")." >&2
    done
    echo "On Debian and Ubuntu, as root: apt-get update && apt-get install -y $packages" >&2
    exit 1
fi
echo "Installing $packages..."
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
# shellcheck disable=SC2086  (a list of words is meant)
if ! { apt-get update && apt-get install -y --no-install-recommends $packages; } >"$log" 2>&1 </dev/null
then
    tail -n 20 "$log" >&2
    echo "apt-get could not install $packages; the whole log is in $log" >&2
    exit 1
fi
rm -f "$log"
