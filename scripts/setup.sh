# shellcheck shell=bash
# Sourced by the scripts beside it: goes to the checkout's root, and `set_up` sees to it that .venv holds what
# constraints.txt pins; `set_up test`, what the tests need too. PYTHON, when set, is the Python that .venv is made with.
set -euo pipefail
root=$(cd -P -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
python=$root/.venv/bin/python
cd -- "$root"
case ${LC_ALL:-} in C | POSIX) export LC_ALL=C.UTF-8 ;; esac # else Python cannot read a venv whose path is not ASCII

fail() { printf 'error: %s\n' "$*" >&2 && exit 1; }

place() { (cd -P .venv && pwd && readlink -f bin/python); } # a venv breaks when either moves; a symlink to it may
stamp() { place && cat pyproject.toml constraints.txt && echo "for ${1:-build}"; }
has() { [[ -x $python && $(cat .venv/stamp 2>/dev/null) == "$(stamp "$1")" ]]; }

live() { # passes its input on, and shows its last line where somebody watches
  [[ -t 2 ]] || exec cat
  while IFS= read -r line; do printf '%s\n' "$line" && printf '\r\033[K%.78s' "$line" >&2; done
  printf '\r\033[K' >&2
}

make_venv() {
  local base=${PYTHON:-python3} output
  "$base" -c 'import ensurepip, sys; assert sys.version_info >= (3, 11)' 2>/dev/null ||
    fail "$base is not Python 3.11 or newer with venv (Debian: python3-venv): install that, or set PYTHON to its path"
  printf 'setting up .venv: some minutes, 2 GB\n' >&2
  "$base" -c 'import fcntl; fcntl.flock(9, fcntl.LOCK_EX)' # one at a time; the lock ends with file descriptor 9
  if has test || has "$1"; then return; fi                 # made by the one this waited for
  if [[ -L .venv ]]; then rm .venv; fi                     # another checkout's, whose pins are not ours
  output=$({
    # Made anew, unless it is whole and stands where it was made: a set-up cut short has left no stamp.
    { [[ -x $python && $(head -n 2 .venv/stamp 2>&1) == "$(place)" ]] ||
      { "$base" -m venv --clear --without-pip .venv && "$python" -m ensurepip; }; } && rm -f .venv/stamp &&
      "$python" -m pip install --no-compile --no-input --progress-bar off -c constraints.txt -e ".${1:+[$1]}"
  } 2>&1 </dev/null | live) || case $output in
    *'No space left'* | *'quota exceeded'*) fail "the disk is full: .venv needs 2 GB, or 8 with torch for CUDA" ;;
    *'from versions: none'* | *'Max retries'*) fail "pip cannot reach its package index: check network and proxy" ;;
    *) printf '%s\n' "$output" >&2 && fail "the set-up of .venv failed, and says why above" ;;
  esac
  stamp "$1" >.venv/stamp
} 9<constraints.txt

set_up() {
  has test || has "${1:-}" || make_venv "${1:-}"
  export PYTHONPATH="$root/src${PYTHONPATH:+:$PYTHONPATH}" # this checkout's source, even in a shared .venv
  export NO_MKDOCS_2_WARNING=1                             # Material's banner about MkDocs 2
  unset PYTHONDONTWRITEBYTECODE                            # what is imported is compiled then, once: a third of set-up
}

install_browser() { # as root, or with a sudo that does not ask
  local become=env
  if ((EUID)); then become="sudo -n"; fi
  printf 'installing chromium, in which the tests open the site\n' >&2
  { $become apt-get update && $become apt-get install -y chromium; } </dev/null &>/dev/null
}

need_browser() { # exports CHROMIUM, which may name one
  local browsers=(chromium chromium-browser google-chrome google-chrome-stable) found
  if [[ ${CHROMIUM:-} ]]; then browsers=("$CHROMIUM"); fi
  found=$(command -v -- "${browsers[@]}") ||
    { ((${#browsers[@]} > 1)) && install_browser && found=$(command -v -- "${browsers[@]}"); } ||
    fail "the tests need a browser: install Chromium or Chrome, or set CHROMIUM to the full path of one"
  export CHROMIUM=${found%%$'\n'*}
}
