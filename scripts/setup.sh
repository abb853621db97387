# shellcheck shell=bash
# Sourced by the scripts beside it: goes to the checkout's root, and `set_up build|test` sees to it that .venv holds what
# constraints.txt pins. PYTHON, when set, is the interpreter a new .venv is made with.
set -euo pipefail

root=$(cd -P -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
python=$root/.venv/bin/python
cd -- "$root" || exit

# In these locales Python cannot read a venv whose path has more than ASCII letters.
case ${LC_ALL:-} in C | POSIX) export LC_ALL=C.UTF-8 ;; esac

fail() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}

# Where .venv really is, and its interpreter: a venv breaks when either moves, but not when it is shared through a symlink.
place() { (cd -P .venv && pwd && readlink -f bin/python); }

# All that .venv is made from. Kept in .venv/origin as plain text: comparing it starts no Python, and needs no hash tool.
origin() {
  place
  printf '%s\n' "$1"
  cat pyproject.toml constraints.txt
}

holds() { [[ -x $python && -f .venv/origin && $(<.venv/origin) == "$(origin "$1")" ]]; }
is_ready() { holds test || { [[ $1 == build ]] && holds build; }; }

find_python() { # sets $base
  local candidate version found=
  if [[ -n ${PYTHON:-} ]]; then set -- "$PYTHON"; else set -- python3 python3.11 python3.12 python3.13 python3.14; fi
  for candidate; do
    version=$("$candidate" --version 2>&1) || continue
    if [[ $version =~ ^Python\ 3\.([0-9]+) ]] && ((BASH_REMATCH[1] >= 11)); then
      base=$candidate
      return
    fi
    found+="${found:+, }$candidate is ${version%%$'\n'*}"
  done
  fail "Python 3.11 or newer is needed, but ${found:-none of $* can be run}: install one, or set PYTHON to its full path"
}

# Runs one step of the set-up, silently. The output comes through a pipe, so that a full disk cannot swallow it.
step() {
  local output
  output=$("$@" 2>&1 </dev/null | LC_ALL=C tee -a .venv/setup.log 2>&1) && return
  case $output in
    *"No module named venv"* | *"No module named ensurepip"*)
      fail "$base has no venv module: install it (Debian, Ubuntu: apt-get install python3-venv), then run this again" ;;
    *"No space left on device"* | *"Disk quota exceeded"*)
      fail "the disk is full: $root/.venv needs about 2 GB (8 GB if pip takes torch for CUDA), and pip room for downloads" ;;
    *"(from versions: none)"* | *"Max retries exceeded"* | *"ERROR: "*"timed out"*)
      fail "pip cannot reach its package index: check network, proxy and pip settings (log: $root/.venv/setup.log)" ;;
    *)
      fail "setting up .venv failed: see $root/.venv/setup.log" ;;
  esac
}

make_venv() {
  local base extra=
  find_python
  # A .venv shared from another checkout, whose pins are not ours, stays as it is: make our own beside it.
  if [[ -L .venv ]]; then rm -f .venv; fi
  mkdir -p .venv

  # One set-up at a time. The lock belongs to file descriptor 9, so the system frees it however this script ends.
  exec 9>.venv/lock
  "$base" -c '
import fcntl, sys
try:
    fcntl.flock(9, fcntl.LOCK_EX | fcntl.LOCK_NB)
except BlockingIOError:
    print("waiting for another script, which is setting up .venv", file=sys.stderr)
    fcntl.flock(9, fcntl.LOCK_EX)
'
  if ! is_ready "$1"; then
    printf 'setting up .venv: some minutes, about 2 GB (progress: %s)\n' "$root/.venv/setup.log" >&2
    # No origin, or that of another place: interrupted, moved, or not ours. Else pip can change it in place.
    if [[ ! -x $python || $(head -n 2 .venv/origin 2>/dev/null) != "$(place)" ]]; then
      find .venv -mindepth 1 -maxdepth 1 ! -name lock -exec rm -rf {} +
      step "$base" -m venv --without-pip .venv
      step "$python" -m ensurepip # on its own, because venv hides why it fails
    fi
    rm -f .venv/origin # from here until the end, an interruption leaves no origin
    if [[ $1 == test ]]; then extra='[test]'; fi
    step "$python" -m pip install --no-input --progress-bar off --disable-pip-version-check \
      -c constraints.txt -e ".$extra"
    origin "$1" >.venv/origin
  fi
  exec 9>&-
}

set_up() {
  is_ready "$1" || make_venv "$1"
  export PYTHONPATH="$root/src${PYTHONPATH:+:$PYTHONPATH}" # this checkout's source, even in a shared .venv
  export NO_MKDOCS_2_WARNING=1                             # Material's banner about MkDocs 2
}
