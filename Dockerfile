# Builds the image of Hallpass: docs/operations/containers.md.

FROM node:24-trixie-slim AS node

FROM rust:1.94-slim-trixie AS build
# The versions are those of the base image's distribution.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends cmake g++ make \
    && rm -rf /var/lib/apt/lists/*
# npm bundles the explorer.
COPY --from=node /usr/local/bin/node /usr/local/bin/
COPY --from=node /usr/local/lib/node_modules /usr/local/lib/node_modules
RUN ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm
WORKDIR /build
COPY . .
# The commit for `hallpass --version`; the folder .git is not copied.
ARG COMMIT
# `otlp` for traces: docs/operations/tracing.md.
ARG FEATURES=
ENV HALLPASS_PLAYGROUND=embed HALLPASS_COMMIT=$COMMIT
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/build/target \
    cargo build --release --locked --bin hallpass --features "$FEATURES" \
    && install -D target/release/hallpass /image/usr/local/bin/hallpass
# The folder of the SQLite database and the key; empty with another database and SECRET_KEY.
RUN install -d -o 65534 -g 65534 -m 0700 /image/var/lib/hallpass

FROM debian:trixie-slim
COPY --from=build /image /
COPY LICENSE-APACHE LICENSE-MIT /usr/share/doc/hallpass/
USER 65534:65534
WORKDIR /var/lib/hallpass
# With PUBLIC_URL, which must be https. Without it, the server is reachable only from its own container.
ENV PORT=8000
EXPOSE 8000
STOPSIGNAL SIGTERM
# Health depends on the database, but a restart of Hallpass would not help. So nothing should restart an unhealthy container.
HEALTHCHECK --interval=5s --timeout=6s --start-period=60s --retries=3 CMD ["hallpass", "health"]
ENTRYPOINT ["hallpass"]
CMD ["serve"]
