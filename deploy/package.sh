#!/usr/bin/env bash
# Makes the tarball of a release from a binary: `deploy/package.sh <binary> <folder>` writes hallpass-<version>-<target>.tar.gz,
# the list of its components (CycloneDX), and SHA256SUMS. The same binary and commit always make the same files. Needs git, GNU tar and
# cargo-cyclonedx. To build the binary of a release, see docs/development/releases.md.
set -euo pipefail

binary=$(realpath "$1")
mkdir -p "$2"
out=$(realpath "$2")
cd "$(dirname "$0")/.."

version=$("$binary" --version | cut -d ' ' -f 2)
target=$(rustc -vV | sed -n 's/^host: //p')
name=hallpass-$version-$target
# The time of the commit, so that packaging it again makes the same files.
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
export SOURCE_DATE_EPOCH LC_ALL=C

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
root=$work/$name

install -D -m 0755 "$binary" "$root/bin/hallpass"
"$binary" man "$root/share/man/man1"
install -d "$root/share/bash-completion/completions" "$root/share/zsh/site-functions" "$root/share/fish/vendor_completions.d"
"$binary" completions bash >"$root/share/bash-completion/completions/hallpass"
"$binary" completions zsh >"$root/share/zsh/site-functions/_hallpass"
"$binary" completions fish >"$root/share/fish/vendor_completions.d/hallpass.fish"
install -D -m 0644 -t "$root/share/doc/hallpass" README.md CHANGELOG.md SECURITY.md LICENSE-APACHE LICENSE-MIT .env.example schema.graphql
install -D -m 0644 -t "$root/lib/systemd/system" deploy/hallpass.service

# The crate writes its list beside each package of the workspace.
cargo cyclonedx -q --format json --target "$target" --override-filename hallpass-sbom-of-package
mv hallpass-sbom-of-package.json "$out/$name.cdx.json"
find . -name hallpass-sbom-of-package.json -not -path './target/*' -delete
install -D -m 0644 "$out/$name.cdx.json" "$root/share/doc/hallpass/hallpass.cdx.json"

tar --create --sort=name --owner=0 --group=0 --numeric-owner --mode=go-w,a+rX --mtime="@$SOURCE_DATE_EPOCH" -C "$work" "$name" |
  gzip --no-name --best >"$out/$name.tar.gz"
cd "$out"
sha256sum "$name.tar.gz" "$name.cdx.json" >SHA256SUMS
echo "$out/$name.tar.gz"
