FROM node:24-slim AS build
WORKDIR /build
# Without install scripts: the npm package `node` would fetch a second Node, and `prepare` would build before the sources are here.
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY src src
RUN node_modules/.bin/tsc -p tsconfig.build.json && npm prune --omit=dev --ignore-scripts --no-audit --no-fund

FROM node:24-slim
LABEL org.opencontainers.image.title="mcp-authz" org.opencontainers.image.licenses="Apache-2.0"
ENV NODE_ENV=production
WORKDIR /app
COPY --from=build /build/node_modules node_modules
COPY --from=build /build/dist dist
COPY package.json LICENSE ./
COPY bin bin
COPY schemas schemas
COPY examples examples
COPY bundles/mcp-authz.tar.gz bundles/mcp-authz.tar.gz
RUN install -d -o node -g node -m 700 /var/lib/mcp-authz
VOLUME /var/lib/mcp-authz
USER node
# Configuration and keys are mounted, never built in. What must outlive the container goes to the volume: set
# `state: {file: /var/lib/mcp-authz/state.db}`. Both addresses are loopback by default; to be reached from outside
# the container: serve --config /etc/mcp-authz/mcp-authz.yaml --grpc 0.0.0.0:9191 --http 0.0.0.0:8181
EXPOSE 9191 8181
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:8181/readyz').then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "bin/mcp-authz.js"]
CMD ["serve"]
