# Recoupe without torch: the models that it ships run on ONNX Runtime. For hub models (settings
# `sentence-transformers:…`, `cross-encoder:…`) build with --build-arg HUB=yes, 1 GB more.
FROM python:3.12-slim-bookworm AS build
ARG HUB=no
WORKDIR /src
COPY requirements.lock requirements-dev.lock ./
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
# Pinned, and nothing but what is pinned.
RUN python -m venv /opt/recoupe \
    && /opt/recoupe/bin/pip install --no-cache-dir --no-deps -r requirements.lock \
    && if [ "$HUB" = yes ]; then \
       /opt/recoupe/bin/pip install --no-cache-dir -c requirements-dev.lock torch sentence-transformers; fi
COPY pyproject.toml README.md LICENSE ./
COPY rag rag
COPY models models
RUN /opt/recoupe/bin/pip install --no-cache-dir --no-deps ./models .

FROM python:3.12-slim-bookworm
LABEL org.opencontainers.image.title="Recoupe" org.opencontainers.image.licenses="MIT"
RUN useradd --uid 10001 --create-home recoupe \
    && install -d -o recoupe -g recoupe /data
COPY --from=build /opt/recoupe /opt/recoupe
ENV PATH=/opt/recoupe/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    RECOUPE_INDEX_DIR=/data \
    RECOUPE_HOST=0.0.0.0
USER 10001
WORKDIR /home/recoupe
VOLUME /data
EXPOSE 7860
# An empty index is alive and not ready: it answers 503.
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
    CMD ["python", "-c", "import httpx; httpx.get('http://127.0.0.1:7860/api/v1/health').json()['live'] or exit(1)"]
ENTRYPOINT ["recoupe"]
CMD ["serve"]
