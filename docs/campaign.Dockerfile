# The suites as an image: docker build -f docs/campaign.Dockerfile -t boxwood-testsuite .
FROM rust:1.95-bookworm AS build
COPY . /src
WORKDIR /src
RUN cargo build --release --locked -p testsuite -p frontend

FROM debian:bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends bochs bochsbios vgabios \
    && rm -rf /var/lib/apt/lists/*
COPY --from=build /src/target/release/testsuite /src/target/release/boxwood /usr/local/bin/
ENTRYPOINT ["testsuite"]
