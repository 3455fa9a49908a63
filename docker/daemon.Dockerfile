# The daemon, without root. Build from the top of the checkout: docker build -f docker/daemon.Dockerfile .
FROM python:3.11-slim-bookworm AS build
WORKDIR /src
RUN python -m venv /opt/callcenter
COPY docker/requirements.txt ./
RUN /opt/callcenter/bin/pip install --no-cache-dir --require-hashes --only-binary :all: -r requirements.txt
COPY pyproject.toml README.md LICENSE ./
COPY callcenter callcenter
RUN /opt/callcenter/bin/pip install --no-cache-dir --no-deps --no-build-isolation .

FROM python:3.11-slim-bookworm
# espeak-ng speaks the prompts (`callcenter prompts`).
RUN apt-get update \
 && apt-get install -y --no-install-recommends espeak-ng \
 && rm -rf /var/lib/apt/lists/* \
 && groupadd --gid 10001 callcenter \
 && useradd --uid 10001 --gid callcenter --home-dir /var/lib/callcenter --no-create-home callcenter \
 && install -d -o callcenter -g callcenter /var/lib/callcenter /var/lib/callcenter/prompts
COPY --from=build /opt/callcenter /opt/callcenter
ENV PATH=/opt/callcenter/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
USER 10001:10001
WORKDIR /var/lib/callcenter
EXPOSE 8080
# /healthz: the process turns. Whether it can do its job is /readyz, which Prometheus and people look at: a lost Asterisk
# is no reason to restart the daemon.
HEALTHCHECK --interval=15s --timeout=5s --start-period=20s --retries=3 \
  CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8080/healthz', timeout=4)"]
ENTRYPOINT ["callcenter"]
CMD ["run", "-c", "/etc/callcenter/callcenter.toml"]
