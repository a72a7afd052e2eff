# syntax=docker/dockerfile:1
# One image, the role by its command: `gantry web`, `gantry consumer`, `gantry serve`.
#   docker build -t gantry:0.1.0 .        minikube image build -t gantry:0.1.0 .

FROM node:26-trixie-slim AS page
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN --mount=type=cache,target=/var/cache/npm npm ci --cache /var/cache/npm --ignore-scripts --no-audit --no-fund
COPY ui ui
# The page shares some plain files with the server.
COPY src src
RUN node node_modules/vite/bin/vite.js build ui --logLevel warn

FROM node:26-trixie-slim AS packages
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
COPY scripts/build-image.mjs scripts/
RUN --mount=type=cache,target=/var/cache/npm npm ci --cache /var/cache/npm --omit=dev --ignore-scripts --no-audit --no-fund \
 && node scripts/build-image.mjs

FROM node:26-trixie-slim AS app
WORKDIR /app
COPY --from=packages /app/node_modules node_modules
COPY --from=page /app/ui/dist ui/dist
COPY ui/public ui/public
COPY package.json LICENSE ./
COPY models models
COPY src src
# The cache is one user's: the one that will run it.
RUN mkdir .compile-cache && chown 1000:1000 .compile-cache
USER 1000:1000
RUN --mount=type=bind,source=scripts,target=/app/scripts NODE_COMPILE_CACHE=/app/.compile-cache node scripts/compile-cache.ts

FROM node:26-trixie-slim
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Gantry" \
      org.opencontainers.image.description="Self-hosted AI image-processing pipeline: upload, durable queue, ONNX model, stored and streamed results" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
# PID 1 gets no default action for signals and inherits orphans: tini passes on the first and reaps the second.
RUN --mount=type=cache,target=/var/cache/apt,sharing=locked --mount=type=cache,target=/var/lib/apt,sharing=locked \
    apt-get update && apt-get install -y --no-install-recommends tini \
 && mkdir -p /data/images /data/db && chown -R 1000:1000 /data
WORKDIR /app
COPY --from=app /app ./
RUN ln -s /app/src/cli.ts /usr/local/bin/gantry
# glibc otherwise keeps an arena for each thread, and with them the memory of large pictures.
ENV NODE_ENV=production \
    MALLOC_ARENA_MAX=2 \
    NODE_COMPILE_CACHE=/app/.compile-cache \
    GANTRY_HOST=0.0.0.0 \
    GANTRY_DATA_DIR=/data/db \
    GANTRY_IMAGES_DIR=/data/images \
    GANTRY_MODEL=/app/models/pets
USER 1000:1000
EXPOSE 5000 9464
ENTRYPOINT ["tini", "--"]
CMD ["gantry", "serve"]
