# Sourced by the scripts in the root: builds one program when a source is newer than its last build, and runs it.
# The stamp of the last build is written with the time at which that build began, so an edit made meanwhile counts.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

need_sdk() {
    # The installer's default place is looked at too: a new user's shell may not have it in PATH yet.
    command -v dotnet >/dev/null || { [ -x "$HOME/.dotnet/dotnet" ] && export PATH="$HOME/.dotnet:$PATH"; } || true
    if command -v dotnet >/dev/null && dotnet --list-sdks | grep -q '^10\.'; then return; fi
    cat >&2 <<'TEXT'
LogPipeline is built from source with the .NET 10 SDK, and this machine has none.
Install it, then run this command again:

  curl -fsSL https://dot.net/v1/dotnet-install.sh | bash -s -- --channel 10.0
  export PATH="$HOME/.dotnet:$PATH"

or take your distribution's package (dotnet-sdk-10.0): https://learn.microsoft.com/dotnet/core/install/linux
TEXT
    exit 2
}

# build PROJECT_FOLDER PROGRAM: the Release program, rebuilt when something newer than the stamp is found.
build() {
    local stamp="$root/artifacts/$2.stamp" begun
    if [ -e "$stamp" ] && [ -z "$(newer_than "$stamp")" ]; then return; fi
    need_sdk
    mkdir -p "$root/artifacts"
    exec 9>"$root/artifacts/build.lock"
    flock 9
    if [ ! -e "$stamp" ] || [ -n "$(newer_than "$stamp")" ]; then
        begun=$(mktemp "$root/artifacts/$2.XXXXXX")
        echo "building $2 …" >&2
        if ! dotnet build "$root/$1" -c Release -v quiet --nologo -clp:ErrorsOnly 1>&2 9>&-; then
            rm -f "$begun"
            exit 2
        fi
        mv "$begun" "$stamp"
    fi
    exec 9>&-
}

newer_than() {
    find "$root"/{agent,broker,contract,hosting,sinks,deploy} "$root"/Directory.*.props "$root/global.json" \
        \( -type d -o -name '*.cs' -o -name '*.csproj' -o -name '*.props' -o -name '*.sql' -o -name '*.json' -o -path '*/packaging/*' \) -newer "$1" -print -quit
}

# launch PROJECT_FOLDER PROGRAM ARGUMENT...
launch() {
    local folder=$1 program=$2 project dotnet
    shift 2
    build "$folder" "$program"
    project=$(basename "$root/$folder"/*.csproj .csproj)
    dotnet=$(command -v dotnet || echo "$HOME/.dotnet/dotnet")
    export DOTNET_ROOT=${DOTNET_ROOT:-$(dirname "$(readlink -f "$dotnet")")}
    exec "$root/artifacts/bin/$project/release/$program" "$@"
}
