#!/bin/sh
# Creates the certificates of these tests again. They are valid for 100 years.
set -eu
cd "$(dirname "$0")"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout authority.key -out authority.pem -days 36500 \
    -subj "/CN=Test authority" -addext "basicConstraints=critical,CA:TRUE" -addext "keyUsage=critical,keyCertSign"
openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout server.key -out server.csr -subj "/CN=server"
printf 'subjectAltName=DNS:idp.example.org,IP:127.0.0.1\nbasicConstraints=CA:FALSE\nextendedKeyUsage=serverAuth\n' > extensions
openssl x509 -req -in server.csr -CA authority.pem -CAkey authority.key -days 36500 -extfile extensions -out server.pem
rm authority.key server.csr extensions
