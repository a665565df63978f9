# docker build -t payhook:0.1.0 .
# One static binary and nothing else: no shell, no libc, no certificates on disk
# (public roots are inside the binary).
FROM rust:1.95-bookworm AS build
RUN apt-get update && apt-get install -y --no-install-recommends cmake && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    target=$(rustc -vV | sed -n 's/^host: //p') \
 && deploy/dist.sh build \
 && install -D "target/$target/dist/payhook" /out/payhook

FROM scratch
COPY --from=build /out/payhook /payhook
# The lines below are the same in Containerfile.ci.
LABEL org.opencontainers.image.title="payhook" \
      org.opencontainers.image.description="A gRPC verification sidecar for payment webhooks" \
      org.opencontainers.image.licenses="Apache-2.0"
USER 65532:65532
EXPOSE 50051 50052
ENTRYPOINT ["/payhook"]
CMD ["serve"]
