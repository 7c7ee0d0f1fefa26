#!/usr/bin/env bash
# Bring what the end-to-end and browser tests need beside Python: Chromium, Firefox, Node.js with the pinned npm packages, and, where
# the tools exist, the compiled Go and Java tests. Safe to run again; says little unless something fails.
set -euo pipefail
cd "$(dirname "$0")/.."

note() { printf 'setup-tests: %s\n' "$*"; }

# Runs a command and shows its output only when it fails.
quietly() {
    local output
    if ! output=$("$@" 2>&1); then
        printf '%s\n' "$output" >&2
        return 1
    fi
}

install_with_apt() {
    local missing=()
    command -v node >/dev/null || missing+=(nodejs)
    command -v npm >/dev/null || missing+=(npm)
    command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null || missing+=(chromium)
    [ ${#missing[@]} -eq 0 ] && return 0
    if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
        note "missing ${missing[*]}: install them with your package manager (tests that need them are skipped, or fail under CI)"
        return 0
    fi
    note "installing ${missing[*]}"
    quietly apt-get update
    DEBIAN_FRONTEND=noninteractive quietly apt-get install -y --no-install-recommends "${missing[@]}"
}

# Chromium without its window: the browser tests take half the time with it, and do without it where there is none.
install_shell() {
    command -v chromium-headless-shell >/dev/null && return 0
    [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null || return 0
    apt-cache show chromium-headless-shell >/dev/null 2>&1 || { quietly apt-get update || true; }
    DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends chromium-headless-shell >/dev/null 2>&1 ||
        note "no chromium-headless-shell: the browser tests take longer"
}

# Apart from the rest: Debian has firefox-esr, Ubuntu's firefox is a snap, which a test cannot drive.
install_firefox() {
    command -v firefox >/dev/null || command -v firefox-esr >/dev/null && return 0
    if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
        note "installing firefox-esr"
        quietly apt-get update || true
        DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends firefox-esr >/dev/null 2>&1 && return 0
    fi
    note "no firefox: its test will be skipped (it fails under CI)"
}

install_npm_packages() {
    command -v npm >/dev/null || return 0
    local folder
    for folder in tests/e2e/node tests/browser tests/browser/node; do
        [ -f "$folder/package.json" ] || continue
        # npm writes this file at the end of an install; an older lock means nothing is to do
        if [ "$folder/node_modules/.package-lock.json" -nt "$folder/package-lock.json" ]; then
            continue
        fi
        note "npm ci in $folder"
        (cd "$folder" && quietly npm ci --no-audit --no-fund)
    done
}

build_go() {
    command -v go >/dev/null || { note "no go: the Go SDK tests will be skipped"; return 0; }
    (cd tests/e2e/go && quietly go test -c -o /dev/null .) || note "the Go tests do not build; they will fail"
}

build_java() {
    command -v java >/dev/null && command -v mvn >/dev/null || { note "no java or mvn: the Java SDK tests will be skipped"; return 0; }
    (cd tests/e2e/java && { quietly mvn -q -B -o process-classes 2>/dev/null || quietly mvn -q -B process-classes; }) ||
        note "the Java tests do not build; they will fail"
}

install_with_apt
install_shell
install_firefox
install_npm_packages
build_go
build_java
command -v ossutil >/dev/null || note "no ossutil: its tests will be skipped"
note "done"
